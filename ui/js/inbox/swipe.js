// @ts-check
// Swiping a row on a touch screen: to the end it is done, to the start it sleeps. Its menu does the same.
const FAR = 88;

export function startSwipe(event, { done, snooze }) {
  if (event.pointerType !== "touch") return;
  const row = event.currentTarget, from = { x: event.clientX, y: event.clientY };
  const sign = document.dir === "rtl" ? -1 : 1;
  let x = 0, swiping = false;
  const move = (at) => {
    x = at.clientX - from.x;
    if (!swiping && (Math.abs(at.clientY - from.y) > 12 || Math.abs(x) < 14)) return;
    swiping = true;
    row.style.translate = `${x}px`;
    row.parentElement.dataset.swipe = x * sign > 0 ? "done" : "snooze";
    row.parentElement.toggleAttribute("data-far", Math.abs(x) > FAR);
  };
  const end = (at) => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    row.style.translate = "";
    delete row.parentElement.dataset.swipe;
    row.parentElement.removeAttribute("data-far");
    if (!swiping || at.type === "pointercancel") return;
    row.addEventListener("click", (click) => (click.preventDefault(), click.stopImmediatePropagation()), { once: true, capture: true });
    if (Math.abs(x) > FAR) (x * sign > 0 ? done : snooze)();
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
}
