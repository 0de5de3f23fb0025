// @ts-check
// Keys: from the table of commands. Single keys never fire while somebody types and can be switched off.
import { COMMANDS, canRun } from "./commands.js";
import { dialog } from "./dialogs.js";
import { menu } from "./menu_state.js";
import { singleKeys } from "./prefs.js";
import { close } from "./open.js";
import { openId, zone } from "./route.js";

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const SEQUENCE = 1500;
let first = "", firstAt = 0;

/** A pressed key in the table's words. On layouts without Latin letters the place of the key counts. */
function written(event) {
  let key = event.key;
  if (key.length === 1 && !/[\x20-\x7e]/.test(key) && /^Key[A-Z]$/.test(event.code)) key = event.code.slice(3);
  if (/^[A-Za-z]$/.test(key)) key = key.toLowerCase();
  const names = { Enter: "enter", Escape: "escape" };
  const mod = MAC ? event.metaKey : event.ctrlKey;
  const shift = event.shiftKey && (key.length > 1 || /^[a-z]$/.test(key));
  return `${mod ? "mod+" : ""}${shift ? "shift+" : ""}${names[key] ?? key}`;
}

const types = (element) => element?.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable=true]");
const presses = (element, key) => key === "enter" && element?.closest?.("a, button, summary, [role=option], [role=menuitem]");

function escape(event) {
  if (menu.value || dialog.value) return; // they hear it themselves
  if (types(event.target)) return event.target.blur();
  if (zone.value === "customer") zone.value = "conversation";
  else if (openId.value) close();
}

function pressed(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const key = written(event);
  if (key === "escape") return escape(event);
  const isTyping = types(event.target);
  const isSingle = !key.startsWith("mod+");
  if (dialog.value && key !== "mod+k") return;
  if (isSingle && (isTyping || menu.value || !singleKeys.value || event.metaKey || event.ctrlKey)) return;
  const pair = first && Date.now() - firstAt < SEQUENCE ? `${first} ${key}` : "";
  first = "";
  const command = COMMANDS.find((one) => pair && one.keys.includes(pair)) ?? COMMANDS.find((one) => one.keys.includes(key) && canRun(one));
  if (key === "g" && isSingle && !pair) {
    [first, firstAt] = ["g", Date.now()];
    return;
  }
  if (!command || (isTyping && !command.typing) || (!pair && presses(event.target, key) && !event.target.closest(".row"))) return;
  if (!canRun(command)) return;
  event.preventDefault();
  command.run(event);
}

export const startKeys = () => addEventListener("keydown", pressed);
