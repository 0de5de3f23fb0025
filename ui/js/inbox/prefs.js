// @ts-check
// How this browser likes it: theme, density, single keys. No customer's word is among it.
import { signal } from "@preact/signals";
import { told } from "./told.js";

const NAME = "chatinbox-look";
const kept = (() => {
  try {
    return JSON.parse(localStorage.getItem(NAME) || "{}");
  } catch {
    return {};
  }
})();

export const theme = signal(kept.theme ?? told.boot.settings.theme ?? "");
export const density = signal(kept.density ?? told.boot.settings.density ?? "");
export const singleKeys = signal(kept.singleKeys ?? told.boot.settings.single_keys ?? true);
/** Zones that were folded away by hand. */
export const folded = signal(/** @type {{list?: boolean, customer?: boolean}} */ ({}));

function keep() {
  const root = document.documentElement;
  root.dataset.theme = theme.value;
  root.dataset.density = density.value;
  try {
    localStorage.setItem(NAME, JSON.stringify({ theme: theme.value, density: density.value, singleKeys: singleKeys.value }));
  } catch { /* it lasts as long as the page then */ }
}

export const isDark = () =>
  theme.value === "dark" || (theme.value !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);

export function flipTheme() {
  theme.value = isDark() ? "light" : "dark";
  keep();
}
export function flipDensity() {
  density.value = density.value === "compact" ? "" : "compact";
  keep();
}
export function setSingleKeys(on) {
  singleKeys.value = on;
  keep();
}
export const fold = (name) => (folded.value = { ...folded.value, [name]: !folded.value[name] });
