// @ts-check
// The palette: search, jump, do. Every entry shows its key, so that it teaches.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "./api.js";
import { COMMANDS, canRun, nameOf } from "./commands.js";
import { dialog } from "./dialogs.js";
import { highlighted } from "./highlight.js";
import { Chip, Icon, Key, WAY, html } from "./html.js";
import { goTo, open, openNumber } from "./open.js";
import { current } from "./lists.js";
import { openId, view } from "./route.js";
import { keepRow, readRow, tags, titleOf } from "./store.js";
import { ago } from "./time.js";

const PAUSE = 130;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const fits = (name, text) => fold(text).split(/\s+/).every((part) => fold(name).includes(part));

/** Conversations we already hold whose name or title fits. */
function known(text) {
  if (!text) return [];
  return current.peek().ids.peek().map(readRow).filter((row) => row && fits(`${row.customer.name} ${titleOf(row)}`, text)).slice(0, 4);
}

const close = () => (dialog.value = null);

function asConversation(row, text) {
  return { id: `c-${row.id}`, icon: WAY[row.via], text: html`<b class="unbold">${highlighted(row.customer.name, text)}</b> <span class="muted">${highlighted(titleOf(row), text)}</span>`, hint: row.hit ? ago(row.last_at) : `#${row.number}`, run: (event) => (close(), open(row.id, { event })), second: row.hit?.excerpt && highlighted(row.hit.excerpt, text) };
}

function sections(text, found) {
  const number = text.match(/^#?(\d+)$/)?.[1];
  const row = openId.peek() && readRow(openId.peek());
  const commands = COMMANDS.filter((one) => canRun(one) && !["open", "search", "palette", "next", "previous"].includes(one.id) && fits(nameOf(one), text)).map((one) => ({ id: one.id, icon: one.icon, text: highlighted(nameOf(one), text), key: one.keys[0], run: (event) => (close(), one.run(event)), group: one.group }));
  const here = commands.filter((one) => ["Answer", "Sort out"].includes(one.group));
  const places = commands.filter((one) => one.group === "Go to");
  const others = commands.filter((one) => ["Move", "Look"].includes(one.group));
  const local = known(text), ids = new Set(local.map((one) => one.id));
  const hits = found.filter((one) => !ids.has(one.id)).slice(0, 6);
  return [
    number && { name: "Number", items: [{ id: "number", icon: "id", text: `Open conversation #${number}`, key: "enter", run: () => (close(), openNumber(Number(number))) }] },
    text && { name: "Conversations", items: [...local, ...hits].map((one) => asConversation(one, text)) },
    text && !number && { name: "Words", items: [{ id: "words", icon: "search", text: html`Search all conversations for “<b>${text}</b>”`, key: "mod+enter", run: () => (close(), goTo(view.peek() === "held" ? "todo" : view.peek(), { query: text })) }] },
    row && { name: `This conversation, #${row.number}`, items: text ? here : here.slice(0, 7) },
    { name: "Go to", items: text ? places : places.slice(0, 9) },
    text && { name: "Tags", items: tags.value.filter((one) => fits(one.name, text)).slice(0, 4).map((one) => ({ id: `t-${one.id}`, icon: "tag", text: html`<${Chip} tag=${one} />`, run: () => (close(), goTo("all", { tag: one.id })) })) },
    { name: "Also", items: text ? others : others.filter((one) => ["theme", "sheet"].includes(one.id)) },
  ].filter((one) => one && one.items.length);
}

const Option = ({ item, at, active, point }) => html`<div class="item" role="option" id=${`found-${at}`} aria-selected=${active} onPointerMove=${() => active || point(at)} onClick=${item.run}>
  <${Icon} is=${item.icon} /><span class="cut" dir="auto">${item.text}${item.second && html`<span class="second cut">${item.second}</span>`}</span><span class="line">${item.hint && html`<span class="faint small">${item.hint}</span>`}${item.key && html`<${Key} of=${item.key} />`}</span></div>`;

export function Palette({ start }) {
  const text = useSignal(start), active = useSignal(0), found = useSignal(/** @type {any[]} */ ([]));
  const box = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const words = text.value.trim();
    if (words.length < 2 || words.startsWith("#")) return void (found.value = []);
    const timer = setTimeout(async () => {
      const told = await get(`/api/search?q=${encodeURIComponent(words)}`).catch(() => null);
      if (told && text.peek().trim() === words) {
        told.rows.forEach(({ hit: _hit, ...row }) => keepRow(row));
        found.value = told.rows;
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text.value]);
  useEffect(() => box.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [active.value]);
  const shown = sections(text.value.trim(), found.value);
  const all = shown.flatMap((one) => one.items);
  const at = Math.min(active.value, all.length - 1);
  const pressed = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) active.value = (at + step + all.length) % Math.max(1, all.length);
    else if (event.key === "Enter" && !event.isComposing) (event.metaKey || event.ctrlKey ? (all.find((one) => one.id === "words") ?? all[at]) : all[at])?.run(event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  let n = -1;
  return html`<div class="dialog palette" ref=${box} onKeyDown=${pressed}>
    <label class="line"><${Icon} is="search" tone="faint" /><input value=${text.value} aria-label="Search or jump to" placeholder="Search, jump or do" role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant=${`found-${at}`} autocomplete="off" spellcheck=${false} dir="auto" onInput=${(event) => ((text.value = event.target.value), (active.value = 0))} /><${Key} of="escape" /></label>
    <div class="found" id="found" role="listbox" aria-label="Results">
      ${shown.map((one) => html`<div key=${one.name} role="group" aria-label=${one.name}><p class="label">${one.name}</p>${one.items.map((item) => { n += 1; return html`<${Option} key=${item.id} item=${item} at=${n} active=${n === at} point=${(to) => (active.value = to)} />`; })}</div>`)}
      ${!all.length && html`<p class="muted nothing">Nothing by that name.</p>`}</div></div>`;
}
