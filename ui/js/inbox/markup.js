// @ts-check
// Simple formatting: what is typed (**bold**, *italic*, `code`, lists, links) as HTML for a letter and as plain words.
// Nothing typed becomes a tag by itself: every character is escaped first.

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const INLINE = /`([^`\n]+)`|\*\*(?=\S)(.+?)(?<=\S)\*\*|(?<![\w*])[*_](?=[^\s*_])([^*_\n]*?[^\s*_])[*_](?![\w*])|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+|mailto:[^\s)]+)\)/g;

/** One line: a list of words and marked pieces. */
function inline(text, { mark, word }) {
  let out = "", at = 0;
  for (const found of text.matchAll(INLINE)) {
    out += word(text.slice(at, found.index));
    const [all, code, bold, italic, label, href] = found;
    const inner = code ?? bold ?? italic ?? label;
    out += mark(code ? "code" : bold ? "b" : italic ? "i" : "a", code ? word(inner) : inline(inner, { mark, word }), href, all);
    at = found.index + all.length;
  }
  return out + word(text.slice(at));
}

const HTML = {
  word: escape,
  mark: (tag, inner, href) => (tag === "a" ? `<a href="${escape(href)}">${inner}</a>` : `<${tag}>${inner}</${tag}>`),
};
const PLAIN = {
  word: (text) => text,
  mark: (tag, inner, href) => (tag === "a" ? (inner === href ? href : `${inner} (${href})`) : inner),
};

/** Blocks: paragraphs, lists, code, quotations. */
function blocks(text) {
  const found = [];
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const kindOf = (line) =>
    /^\s*[-*•] +\S/.test(line) ? "ul" : /^\s*\d+[.)] +\S/.test(line) ? "ol" : /^> ?/.test(line) ? "blockquote" : line.trim() ? "p" : "";
  for (let i = 0; i < lines.length; i++) {
    if (/^```/.test(lines[i]) && lines.slice(i + 1).some((line) => /^```\s*$/.test(line))) {
      const code = [];
      while (!/^```\s*$/.test(lines[++i])) code.push(lines[i]);
      found.push({ is: "pre", lines: code });
      continue;
    }
    const is = kindOf(lines[i]);
    const last = found.at(-1);
    if (!is) found.push({ is: "", lines: [] });
    else if (last?.is === is) last.lines.push(lines[i]);
    else found.push({ is, lines: [lines[i]] });
  }
  return found;
}

const bare = (is, line) => (is === "ul" ? line.replace(/^\s*[-*•] +/, "") : is === "ol" ? line.replace(/^\s*\d+[.)] +/, "") : is === "blockquote" ? line.replace(/^> ?/, "") : line);

/** The HTML of what was typed, or null when there is nothing to format. */
export function toHtml(text) {
  const found = blocks(text);
  const plain = found.every((block) => block.is === "p" || block.is === "") && !text.match(INLINE);
  if (plain) return null;
  return found
    .filter((block) => block.is)
    .map(({ is, lines }) => {
      if (is === "pre") return `<pre>${escape(lines.join("\n"))}</pre>`;
      const inner = lines.map((line) => inline(bare(is, line), HTML));
      if (is === "ul" || is === "ol") return `<${is}>${inner.map((line) => `<li>${line}</li>`).join("")}</${is}>`;
      return is === "p" ? `<p>${inner.join("<br>")}</p>` : `<blockquote>${inner.join("<br>")}</blockquote>`;
    })
    .join("");
}

/** What was typed without its marks, for those who read plain words. */
export const toPlain = (text) =>
  blocks(text)
    .map(({ is, lines }) => (is === "pre" ? lines.join("\n") : lines.map((line) => inline(line, PLAIN)).join("\n")))
    .join("\n")
    .trim();
