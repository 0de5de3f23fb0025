// @ts-check
// Which menu is open, and on what it hangs.
import { signal } from "@preact/signals";

export const menu = signal(/** @type {{kind: string, anchor: Element|null, words?: any} | null} */ (null));

/** Opens a menu on an element, or on the first visible one that a selector finds. */
export function openMenu(kind, on, words = {}) {
  const anchor = typeof on === "string" ? [...document.querySelectorAll(on)].find((one) => one.getClientRects().length) ?? null : on;
  menu.value = menu.value?.kind === kind && menu.value.anchor === anchor ? null : { kind, anchor, words };
}

/** Closes it and gives the focus back. */
export function closeMenu(giveBack = true) {
  const open = menu.value;
  menu.value = null;
  if (giveBack && open?.anchor instanceof HTMLElement) open.anchor.focus();
}
