// @ts-check
// Writing in the composer: marks around words, lists before lines, words at the cursor. The browser's own undo keeps working.
const field = () => /** @type {HTMLTextAreaElement|null} */ (document.querySelector(".composer .text"));

/** Types at the cursor as if by hand. */
export function insertText(text) {
  const area = field();
  if (!area) return;
  area.focus();
  if (!document.execCommand("insertText", false, text)) {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Puts a mark on both sides of what is chosen, or takes it away again. */
export function surround(mark) {
  const area = field();
  if (!area) return;
  const { selectionStart: from, selectionEnd: to, value } = area;
  const chosen = value.slice(from, to), n = mark.length;
  if (value.slice(from - n, from) === mark && value.slice(to, to + n) === mark) {
    area.setSelectionRange(from - n, to + n);
    insertText(chosen);
    area.setSelectionRange(from - n, to - n);
    return;
  }
  insertText(mark + chosen + mark);
  area.setSelectionRange(from + n, from + n + chosen.length);
}

/** Makes the chosen lines a list. */
export function list() {
  const area = field();
  if (!area) return;
  const from = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const end = area.value.indexOf("\n", area.selectionEnd);
  area.setSelectionRange(from, end < 0 ? area.value.length : end);
  const lines = area.value.slice(from, end < 0 ? undefined : end).split("\n");
  const has = lines.every((line) => line.startsWith("- "));
  insertText(lines.map((line) => (has ? line.slice(2) : `- ${line}`)).join("\n"));
}

/** A link around what is chosen, with the place of its address chosen for typing. */
export function link() {
  const area = field();
  if (!area) return;
  const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
  const isAddress = /^https?:\/\//.test(chosen);
  const from = area.selectionStart;
  insertText(isAddress ? `[](${chosen})` : `[${chosen}](https://)`);
  if (isAddress) area.setSelectionRange(from + 1, from + 1);
  else area.setSelectionRange(from + chosen.length + 3, from + chosen.length + 11);
}
