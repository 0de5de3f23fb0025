// @ts-check
// What stands over everything: the palette, the keys, a picture. Focus stays inside and goes back where it was.
import { useLayoutEffect, useRef } from "preact/hooks";
import { dialog } from "./dialogs.js";
import { Icon, html } from "./html.js";
import { Keys } from "./key_sheet.js";
import { Palette } from "./palette.js";
import { size } from "./time.js";

const Picture = ({ file }) => html`<div class="dialog picture"><div class="bar"><b class="cut" dir="auto">${file.name}</b><span class="faint">${size(file.size)}</span><a class="btn push" href=${file.url} download=${file.name} target="_blank" rel="noopener"><${Icon} is="get" />Save</a><button class="btn btn--bare btn--icon" aria-label="Close" onClick=${() => (dialog.value = null)}><${Icon} is="x" /></button></div><img src=${file.url} alt=${file.name} /></div>`;

const NAMES = { palette: "Search, jump or do", keys: "Keys", picture: "Picture" };

function Stage({ open }) {
  const box = useRef(/** @type {any} */ (null));
  const close = () => (dialog.value = null);
  useLayoutEffect(() => { // before the next key: who presses / goes on typing at once
    const before = /** @type {any} */ (document.activeElement);
    box.current.querySelector("input:not([type=checkbox]), button, a")?.focus({ preventScroll: true });
    return () => before?.isConnected && before.focus({ preventScroll: true });
  }, []);
  const pressed = (event) => {
    if (event.key === "Escape" || (event.key === "?" && open.kind === "keys")) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
    if (event.key !== "Tab") return;
    const all = [...box.current.querySelectorAll("input, button, a[href]")].filter((one) => one.getClientRects().length);
    const edge = event.shiftKey ? all[0] : all.at(-1);
    if (document.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? all.at(-1) : all[0])?.focus();
  };
  return html`<div class="veil-box" data-kind=${open.kind} ref=${box} role="dialog" aria-modal="true" aria-label=${NAMES[open.kind]} onKeyDown=${pressed} onPointerDown=${(event) => event.target === event.currentTarget && close()}>
    ${open.kind === "palette" ? html`<${Palette} start=${open.text} />` : open.kind === "keys" ? html`<${Keys} />` : html`<${Picture} file=${open.file} />`}</div>`;
}

export const Dialogs = () => dialog.value && html`<${Stage} key=${dialog.value.kind} open=${dialog.value} />`;
