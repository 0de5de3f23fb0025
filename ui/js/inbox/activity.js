// @ts-check
// A sign of life while this tab is in view and was touched lately. What is done here is not told.
import { signedOut } from "./api.js";
import { newId } from "./ids.js";
import { told } from "./told.js";

const tab = newId();
let touched = Date.now();
let here = false;

function tell(gone = false) {
  const { sign, idle } = told.boot.activity;
  const is = !gone && document.visibilityState === "visible" && Date.now() - touched < idle;
  if ((is || here) && !signedOut.value) {
    const body = JSON.stringify({ tab, stop: !is });
    fetch("/api/active", { method: "PUT", headers: { "X-ChatInbox": "1", "Content-Type": "application/json" }, body, keepalive: true }).catch(() => {});
  }
  here = is;
  return sign;
}

export function startActivity() {
  if (!told.boot.activity) return;
  const touch = () => {
    touched = Date.now();
    if (!here) tell();
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(kind, touch, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => tell());
  addEventListener("pageshow", touch);
  addEventListener("pagehide", () => tell(true));
  setInterval(() => tell(), tell());
}
