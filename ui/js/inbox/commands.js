// @ts-check
// Everything that can be done, once: the keys, the sheet of keys and the palette are made from this table.
import { assign, setStatus, snooze, spam, unread } from "./acts.js";
import { openMenu } from "./menu_state.js";
import { close, goTo, open, step } from "./open.js";
import { flipDensity, flipTheme, fold } from "./prefs.js";
import { openId, view, zone } from "./route.js";
import { may, me, readRow } from "./store.js";
import { told } from "./told.js";
import { undoLast } from "./toasts.js";
import { VIEWS, shelfOf } from "./views.js";
import { current } from "./lists.js";
import { dialog } from "./dialogs.js";
import { focusComposer, sendNow } from "./composer_acts.js";

const id = () => openId.peek();
const canWrite = () => isOpen() && (may("answer") || may("note"));
const isOpen = () => id() !== null && view.peek() !== "held";
const canArrange = () => isOpen() && may("arrange");
const row = () => readRow(id());

/** Moves the cursor in the list when nothing is open, else opens the neighbour. */
function move(by, event) {
  if (isOpen()) return step(by, event);
  const rows = [...document.querySelectorAll(".list .row[data-id]")];
  const at = rows.indexOf(/** @type {any} */ (document.activeElement));
  /** @type {any} */ (rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))])?.focus();
}

function openFocused(event) {
  const focused = /** @type {any} */ (document.activeElement)?.closest?.(".row[data-id]");
  if (isOpen() && (!focused || focused.dataset.id === id())) return focusComposer();
  const to = focused?.dataset.id ?? current.peek().ids.peek()[0];
  if (to) open(to, { event });
}

/** @typedef {{id: string, name: string | (() => string), group: string, keys: string[], icon: string, run: (event?: any) => void, when?: () => boolean, typing?: boolean}} Command */
/** @type {Command[]} */
export const COMMANDS = [
  { id: "next", name: "Next conversation", group: "Move", keys: ["j"], icon: "down", run: (e) => move(1, e) },
  { id: "previous", name: "Previous conversation", group: "Move", keys: ["k"], icon: "up", run: (e) => move(-1, e) },
  { id: "open", name: "Open", group: "Move", keys: ["o", "enter"], icon: "reply", run: openFocused },
  { id: "back", name: "Back to the list", group: "Move", keys: ["u"], icon: "back", run: close, when: isOpen },
  { id: "search", name: "Search", group: "Move", keys: ["/"], icon: "search", run: () => dialog.value = { kind: "palette", text: "" } },
  { id: "palette", name: "Search, jump or do", group: "Move", keys: ["mod+k"], icon: "search", typing: true, run: () => dialog.value = { kind: "palette", text: "" } },
  { id: "number", name: "Go to a number", group: "Move", keys: ["#"], icon: "id", run: () => dialog.value = { kind: "palette", text: "#" } },
  { id: "hide-list", name: "Hide the list", group: "Move", keys: ["mod+."], icon: "rows", typing: true, run: () => fold("list") },
  { id: "customer", name: "Hide the customer", group: "Move", keys: ["mod+/"], icon: "user", typing: true, run: toggleCustomer, when: isOpen },

  { id: "reply", name: "Reply", group: "Answer", keys: ["r"], icon: "reply", run: () => focusComposer("reply"), when: () => isOpen() && may("answer") },
  { id: "note", name: "Note", group: "Answer", keys: ["n"], icon: "pen", run: () => focusComposer("note"), when: () => isOpen() && may("note") },
  { id: "send", name: "Send", group: "Answer", keys: ["mod+enter"], icon: "send", typing: true, run: () => sendNow(), when: canWrite },
  { id: "send-done", name: "Send and mark done", group: "Answer", keys: ["mod+shift+enter"], icon: "check", typing: true, run: () => sendNow("done"), when: () => isOpen() && may("answer") },
  { id: "undo", name: "Undo", group: "Answer", keys: ["z"], icon: "undo", run: undoLast },

  { id: "done", name: () => (row()?.status === "done" ? "Back to do" : "Done"), group: "Sort out", keys: ["e"], icon: "check", run: () => setStatus(id(), row().status === "done" ? "todo" : "done"), when: canArrange },
  { id: "snooze", name: "Snooze", group: "Sort out", keys: ["b"], icon: "snooze", run: () => openMenu("snooze", "[data-menu=snooze]"), when: canArrange },
  { id: "wake", name: "Wake now", group: "Sort out", keys: [], icon: "snooze", run: () => snooze(id(), null), when: () => canArrange() && shelfOf(row()) === "snoozed" },
  { id: "assign", name: "Assign", group: "Sort out", keys: ["a"], icon: "user", run: () => openMenu("assign", "[data-menu=assign]"), when: canArrange },
  { id: "assign-me", name: "Assign to me", group: "Sort out", keys: ["i"], icon: "user", run: () => assign(id(), me.staff_user_id), when: canArrange },
  { id: "tag", name: "Tag", group: "Sort out", keys: ["l"], icon: "tag", run: () => openMenu("tags", "[data-menu=tags]"), when: canArrange },
  { id: "status", name: "Whose turn", group: "Sort out", keys: ["s"], icon: "done", run: () => openMenu("status", "[data-menu=status]"), when: canArrange },
  { id: "unread", name: "Mark as unread", group: "Sort out", keys: ["shift+u"], icon: "mail", run: () => unread(id()), when: isOpen },
  { id: "spam", name: () => (row()?.spam ? "Not spam" : "Spam"), group: "Sort out", keys: ["!"], icon: "spam", run: () => spam(id()), when: canArrange },

  ...VIEWS.map((one) => ({ id: `go-${one.id}`, name: one.name, group: "Go to", keys: [one.key], icon: one.icon, run: () => goTo(one.id) })),
  { id: "go-reports", name: "Reports", group: "Go to", keys: ["g r"], icon: "chart", run: () => location.assign("/reports") },
  { id: "go-settings", name: "Settings", group: "Go to", keys: ["g s"], icon: "gear", run: () => location.assign("/settings") },
  ...(told.boot.elsewhere ? [{ id: "go-accounts", name: "Another account", group: "Go to", keys: [], icon: "building", run: () => location.assign("/settings/accounts") }] : []),
  ...(told.boot.outbox ? [{ id: "go-outbox", name: "Outbox", group: "Go to", keys: ["g o"], icon: "send", run: () => location.assign("/outbox") }] : []),

  { id: "theme", name: "Dark or light", group: "Look", keys: [], icon: "moon", run: flipTheme },
  { id: "density", name: "Row density", group: "Look", keys: [], icon: "rows", run: flipDensity },
  { id: "sheet", name: "Keys", group: "Look", keys: ["?"], icon: "key", run: () => dialog.value = { kind: "keys" } },
];

function toggleCustomer() {
  if (matchMedia("(width < 80rem)").matches) zone.value = zone.value === "customer" ? "conversation" : "customer";
  else fold("customer");
}

export const nameOf = (command) => (typeof command.name === "function" ? command.name() : command.name);
export const keyOf = (commandId) => COMMANDS.find((one) => one.id === commandId)?.keys[0] ?? "";
export const canRun = (command) => !command.when || command.when();
export const runCommand = (commandId, event) => {
  const command = COMMANDS.find((one) => one.id === commandId);
  if (command && canRun(command)) command.run(event);
};
