// @ts-check
// The one menu: a field that filters, a list that arrows walk, numbers that choose. A sheet from below on a phone.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, Key, html } from "./html.js";
import { closeMenu } from "./menu_state.js";

const GAP = 6;

/** Where a menu stands: under its button, above it when there is no room, inside the window always. */
function place(element, anchor) {
  if (!anchor || matchMedia("(width < 48rem)").matches) return;
  const at = anchor.getBoundingClientRect(), own = element.getBoundingClientRect();
  const below = at.bottom + GAP + own.height <= innerHeight - GAP;
  const top = below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - own.height);
  const isEnd = at.left + own.width > innerWidth - GAP || document.dir === "rtl";
  const left = isEnd ? Math.max(GAP, at.right - own.width) : at.left;
  element.style.top = `${top}px`;
  element.style.left = `${left}px`;
}

/**
 * @param {{label: string, anchor: any, items: (text: string) => any[], field?: any, icon?: string, foot?: any, wide?: string}} words
 * items: {id, face?, icon?, name, hint?, key?, checked?, run, keep?} or {rule: true}
 */
export function Menu({ label, anchor, items, field, icon = "search", foot }) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const box = useRef(/** @type {any} */ (null));
  const all = items(text);
  const choices = all.filter((item) => !item.rule);
  const at = Math.min(active, choices.length - 1);

  useLayoutEffect(() => {
    place(box.current, anchor);
    (box.current.querySelector("input") ?? box.current).focus({ preventScroll: true });
  }, []);
  useLayoutEffect(() => box.current.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" }), [at]);

  const choose = (item, event) => {
    if (!item) return;
    if (!item.keep) closeMenu();
    item.run(event);
    if (item.keep) setText("");
  };
  const pressed = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const numbered = text === "" && choices.find((item) => item.key === event.key);
    if (step) setActive((at + step + choices.length) % choices.length);
    else if (event.key === "Enter" && !event.isComposing) choose(event.metaKey || event.ctrlKey ? (choices.find((item) => item.key === "mod+enter") ?? choices[at]) : choices[at], event);
    else if (event.key === "Escape" || event.key === "Tab") closeMenu();
    else if (numbered) choose(numbered, event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="over" onPointerDown=${(event) => event.target === event.currentTarget && closeMenu()}>
    <div class="menu floats" ref=${box} role="dialog" aria-label=${label} tabindex="-1" onKeyDown=${pressed}>
      ${field && html`<label class="field"><${Icon} is=${icon} tone="faint" /><input value=${text} placeholder=${field} aria-label=${label} role="combobox" aria-expanded="true" aria-controls="choices"
        aria-activedescendant=${choices[at] ? `choice-${at}` : undefined} autocomplete="off" spellcheck=${false} onInput=${(event) => (setText(event.target.value), setActive(0))} /></label>`}
      <div class="choices" id="choices" role="listbox" aria-label=${label}>
        ${all.map((item, i) => (item.rule ? html`<hr key=${`rule${i}`} role="presentation" />` : html`<${Choice} key=${item.id} item=${item} n=${choices.indexOf(item)} active=${choices.indexOf(item) === at} choose=${choose} point=${setActive} />`))}
        ${!choices.length && html`<p class="muted nothing">${text ? "Nothing by that name." : "None yet."}</p>`}
      </div>
      ${foot}
    </div></div>`;
}

const Choice = ({ item, n, active, choose, point }) => html`
  <div class="item" role="option" id=${`choice-${n}`} data-active=${active || undefined} aria-selected=${item.checked ?? active} data-choice=${item.id}
    onPointerMove=${() => active || point(n)} onClick=${(event) => choose(item, event)}>
    ${item.checked !== undefined && html`<span class="ticked">${item.checked && html`<${Icon} is="check" small />`}</span>`}
    ${item.face}${item.icon && html`<${Icon} is=${item.icon} />`}<span class="cut" dir="auto">${item.node ?? item.name}</span>
    <span class="line">${item.hint && html`<span class="muted small">${item.hint}</span>`}${item.key && html`<${Key} of=${item.key} />`}</span>
  </div>`;
