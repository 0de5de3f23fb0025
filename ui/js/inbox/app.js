// @ts-check
// The inbox: four zones, what floats over them, and the few things that run beside them.
import { effect } from "@preact/signals";
import { render } from "preact";
import { startActivity } from "./activity.js";
import { offlineSince, signedOut } from "./api.js";
import { Conversation } from "./conversation.js";
import { Customer } from "./customer.js";
import { startDrafts } from "./drafts.js";
import { Held, HeldNote } from "./held.js";
import { html } from "./html.js";
import { startKeys } from "./keys.js";
import { List } from "./list.js";
import { startLive } from "./live.js";
import { Menus } from "./menus.js";
import { startRoute } from "./open.js";
import { startOutbox } from "./outbox.js";
import { Dialogs } from "./dialog_box.js";
import { afterPaint } from "./paint.js";
import { folded } from "./prefs.js";
import { startPresence } from "./presence.js";
import { openId, query, shown, view, zone } from "./route.js";
import { counts, readRow, titleOf } from "./store.js";
import { startSync } from "./sync.js";
import { TabBar } from "./tab_bar.js";
import { Toasts } from "./toasts.js";
import { Views } from "./views_zone.js";
import { viewOf } from "./views.js";

const isHeld = () => view.value === "held" && query.value === null;

const App = () => html`
  <${Views} />
  ${isHeld() ? html`<${Held} /><${HeldNote} />` : html`<${List} /><${Conversation} /><${Customer} />`}
  <${TabBar} />
  <${Menus} /><${Dialogs} /><${Toasts} />`;

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
/** Writes a mark only when it changes: each one makes the browser look at every style again. */
const mark = (name, word) => root.dataset[name] !== word && (root.dataset[name] = word);
effect(() => {
  mark("zone", zone.value);
  mark("fold", Object.keys(folded.value).filter((name) => folded.value[name]).join(" "));
  mark("lone", isHeld() || !openId.value ? "yes" : "no");
});
effect(() => {
  const row = openId.value && readRow(openId.value);
  const mine = counts.value.mine || counts.value.todo;
  const title = `${mine ? `(${mine > 99 ? "99+" : mine}) ` : ""}${row ? titleOf(row) : query.value !== null ? "Search" : viewOf(shown.value.view).name} · ChatInbox`;
  afterPaint(() => (document.title = title));
});
effect(() => {
  mark("state", signedOut.value ? "signed-out" : offlineSince.value ? "offline" : "live");
});

startRoute();
render(html`<${App} />`, root);
startDrafts();
startOutbox();
startKeys();
startSync();
startLive();
startPresence();
startActivity();
performance.mark("inbox:ready");
