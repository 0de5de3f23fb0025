// @ts-check
// Templates without a build step, and the few smallest pieces that every part of the screen is made of.
import { h } from "preact";
import htm from "htm";
import { told } from "./told.js";

export const html = htm.bind(h);

/** One icon of the sprite. `small` is 14 px, for use beside 12 px text. */
export const Icon = ({ is, small = false, flip = false, tone = "" }) =>
  html`<svg class=${`icon${small ? " icon--s" : ""}${flip ? " icon--flip" : ""} ${tone}`} aria-hidden="true"><use href=${`${told.icons}#i-${is}`} /></svg>`;

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);

/** A key as this computer writes it: mod+shift+enter → ⌘⇧↵ or Ctrl ⇧ ↵. */
export const keyName = (key) =>
  key
    .split("+")
    .map((part) => ({ mod: MAC ? "⌘" : "Ctrl ", shift: "⇧", enter: "↵", escape: "esc" })[part] ?? part)
    .join("")
    .replace(/(?<=[⌘⇧]|Ctrl )[a-z]$/, (letter) => letter.toUpperCase());

export const Key = ({ of: key }) => html`<kbd aria-hidden="true">${keyName(key)}</kbd>`;

/** A key in the words of aria-keyshortcuts. */
export const spoken = (key) =>
  key.split("+").map((part) => ({ mod: MAC ? "Meta" : "Control", shift: "Shift", enter: "Enter", escape: "Escape" })[part] ?? part).join("+");

const initialsOf = new Map();

/** Two letters for a face: of the first and the last word, in any script. */
export function initials(name) {
  let found = initialsOf.get(name);
  if (found === undefined) {
    const words = name.replace(/[<>"'()[\]]/g, "").trim().split(/[\s@.]+/).filter(Boolean);
    const letters = words.length > 1 && !/[぀-ヿ㐀-鿿가-힯]/.test(name) ? [words[0], words[words.length - 1]] : [words[0] ?? "?"];
    found = letters.map((word) => [...word][0]).join("").toLocaleUpperCase();
    initialsOf.set(name, found);
  }
  return found;
}

/** A face: customers round, staff rounded squares with their photo or initials; `on` is here or away. */
export const Face = ({ name, hue, staff = false, photo = null, size = "", on = undefined, label = "" }) =>
  html`<span class=${staff ? "face face--staff" : "face"} style=${`--h:${hue}${size ? `;--face:${size}` : ""}`} data-on=${on}
    role=${label ? "img" : undefined} aria-label=${label || undefined} title=${label || undefined} aria-hidden=${label ? undefined : "true"}>${photo ? html`<img src=${`/photos/${photo}/96`} alt="" />` : initials(name)}</span>`;

export const Chip = ({ tag }) => html`<span class="chip" style=${`--h:${tag.hue}`} dir="auto">${tag.name}</span>`;

/** The way a message came or goes. */
export const WAY = { chat: "chat", email: "mail", api: "api" };
export const WAY_WORD = { chat: "chat", email: "e-mail", api: "API" };
