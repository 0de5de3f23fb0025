// @ts-check
// Searched words, marked where they stand.
import { html } from "./html.js";
import { query } from "./route.js";

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export function highlighted(text, words = query.value ?? "") {
  const parts = words.split(/\s+/).filter((word) => word.length > 1).map(escape);
  if (!parts.length || !text) return text;
  return text.split(new RegExp(`(${parts.join("|")})`, "giu")).map((part, i) => (i % 2 ? html`<mark key=${i}>${part}</mark>` : part));
}
