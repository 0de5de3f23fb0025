// @ts-check
// Which dialog stands over everything, if any: the palette, the keys, a picture.
import { signal } from "@preact/signals";

export const dialog = signal(/** @type {any} */ (null));
