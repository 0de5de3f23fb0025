// @ts-check
// What the composer does when a key or a button asks: take the focus on one side, send.
import { openNext } from "./open.js";
import { draftOf } from "./drafts.js";
import { hasFailed, isUploading } from "./files.js";
import { send } from "./outbox.js";
import { openId, zone } from "./route.js";
import { say } from "./toasts.js";

/** Puts the cursor into the composer, on the side asked for. */
export function focusComposer(kind = undefined) {
  const id = openId.peek();
  if (!id) return;
  if (kind) draftOf(id).kind.value = kind;
  zone.value = "conversation";
  // At once where the side stands already: what is typed next must not be taken for single keys.
  if (document.querySelector(".composer")?.["dataset"].side === draftOf(id).kind.peek()) takeFocus();
  else {
    queueMicrotask(takeFocus); // the side is drawn in the same turn, before another key can come
    requestAnimationFrame(() => document.activeElement?.matches(".composer .text") || takeFocus()); // or once its zone is seen
  }
}

function takeFocus() {
  const field = /** @type {HTMLTextAreaElement|null} */ (document.querySelector(".composer .text"));
  field?.focus();
  field?.setSelectionRange(field.value.length, field.value.length);
}

/** Sends what is written; with "done" the next conversation follows. */
export function sendNow(then = undefined) {
  const id = openId.peek();
  if (!id || !document.querySelector(".composer")) return;
  const draft = draftOf(id), kind = draft.kind.peek(), side = draft[kind];
  if (isUploading(side)) return say("The files are still on their way. Send in a moment.", { icon: "clip" });
  if (hasFailed(side)) return say("A file was not stored. Try it again or take it off, then send.", { icon: "alert", bad: true });
  const item = send(id, kind, then ?? "waiting");
  if (!item) return focusComposer();
  if (then === "done" && kind === "reply") openNext(id);
}
