// @ts-check
// What was done, said once, with the way back beside it. Ten seconds, longer while it is looked at.
import { signal } from "@preact/signals";
import { Icon, Key, html } from "./html.js";

const LASTS = 10_000;
export const toasts = signal(/** @type {any[]} */ ([]));
let count = 0;

/** Says a sentence; `undo` takes it back, `again` tries once more. */
export function say(text, { icon = "check", undo = undefined, again = undefined, bad = false } = {}) {
  const toast = { id: ++count, text, icon, undo, again, bad, left: LASTS, timer: 0 };
  toasts.value = [...toasts.value.slice(-2), toast];
  run(toast);
  return toast;
}

export const sayError = (error, before = "") => say(`${before}${error.message}`, { icon: "alert", bad: true });

function run(toast) {
  clearTimeout(toast.timer);
  toast.started = Date.now();
  toast.timer = setTimeout(() => drop(toast), toast.left);
}

function hold(toast) {
  clearTimeout(toast.timer);
  toast.left = Math.max(2000, toast.left - (Date.now() - toast.started));
}

export function drop(toast) {
  clearTimeout(toast.timer);
  toasts.value = toasts.value.filter((one) => one.id !== toast.id);
}

/** Takes back the last thing that can be taken back. */
export function undoLast() {
  const toast = toasts.value.findLast((one) => one.undo);
  if (toast) takeBack(toast);
}

function takeBack(toast) {
  drop(toast);
  toast.undo();
}

const Toast = ({ toast }) => html`
  <div class="toast" role=${toast.bad ? "alert" : "status"} onPointerEnter=${() => hold(toast)} onPointerLeave=${() => run(toast)} onFocusIn=${() => hold(toast)} onFocusOut=${() => run(toast)}>
    <${Icon} is=${toast.icon} /><span class="grow">${toast.text}</span>
    ${toast.undo && html`<button class="btn" aria-keyshortcuts="z" onClick=${() => takeBack(toast)}>Undo<${Key} of="z" /></button>`}
    ${toast.again && html`<button class="btn" onClick=${() => (drop(toast), toast.again())}>Again</button>`}
    ${!toast.undo && !toast.again && html`<button class="btn btn--icon" aria-label="Close" onClick=${() => drop(toast)}><${Icon} is="x" small /></button>`}
  </div>`;

export const Toasts = () => html`<div class="toasts" aria-live="polite">${toasts.value.map((toast) => html`<${Toast} key=${toast.id} toast=${toast} />`)}</div>`;
