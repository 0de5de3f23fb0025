// @ts-check
// Words as nodes: plain text with its links, and simple HTML through an allow-list of our own. Never innerHTML.
import { h } from "preact";
import { filesOrigin, staff } from "./store.js";

const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g;

const MENTION = /(^|\s)(@[\p{L}][\p{L}\p{M}'’-]+)/gu;
const names = () => new Set(staff.peek().map((one) => `@${one.name.split(/\s+/)[0]}`.toLowerCase()));

/** Plain words, with colleagues called by name made visible. */
function called(text) {
  if (!text.includes("@")) return [text];
  const known = names(), out = [];
  let at = 0;
  for (const found of text.matchAll(MENTION)) {
    if (!known.has(found[2].toLowerCase())) continue;
    const from = found.index + found[1].length;
    out.push(text.slice(at, from), h("span", { class: "mention" }, found[2]));
    at = from + found[2].length;
  }
  return [...out, text.slice(at)];
}

/** A line of text with its addresses as links. */
function linked(text) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(LINK)) {
    if (found.index > at) out.push(...called(text.slice(at, found.index)));
    const href = found[0].includes("://") ? found[0] : `mailto:${found[0]}`;
    out.push(h("a", { class: "go", href, target: "_blank", rel: "noopener noreferrer", dir: "ltr" }, found[0]));
    at = found.index + found[0].length;
  }
  if (at < text.length) out.push(...called(text.slice(at)));
  return out;
}

/** Plain text as paragraphs, each in its own direction. */
export function paragraphs(text) {
  return text
    .replace(/\r\n?/g, "\n")
    .trim()
    .split(/\n{2,}/)
    .map((part, i) =>
      h("p", { key: i, dir: "auto" }, part.split("\n").flatMap((line, n) => (n ? [h("br", {}), ...linked(line)] : linked(line)))),
    );
}

const KEEP = new Set(["p", "br", "b", "strong", "i", "em", "u", "s", "del", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "bdi", "sub", "sup"]);
const BLOCK = new Set(["div", "section", "address", "center", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "dt", "dd", "figure", "figcaption"]);
const HEADING = /^h[1-6]$/;

function nodes(parent) {
  return [...parent.childNodes].map((child, key) => node(child, key)).filter((one) => one !== null);
}

function node(child, key) {
  if (child.nodeType === Node.TEXT_NODE) return linked(child.data.replace(/\u00a0 | \u00a0/g, " "));
  if (child.nodeType !== Node.ELEMENT_NODE) return null;
  const name = child.localName;
  const dir = child.getAttribute("dir") || (["p", "li", "blockquote"].includes(name) ? "auto" : undefined);
  if (name === "br" || name === "hr") return h(name, { key });
  if (name === "a") return link(child, key);
  if (name === "img") return picture(child, key);
  const inner = nodes(child);
  if (KEEP.has(name)) return h(name, { key, dir }, inner);
  if (HEADING.test(name)) return h("p", { key, dir: "auto" }, h("b", {}, inner));
  return h(BLOCK.has(name) ? "div" : "span", { key, dir: BLOCK.has(name) ? "auto" : undefined }, inner);
}

function link(child, key) {
  const href = child.getAttribute("href") ?? "";
  if (!/^(https?:|mailto:|tel:)/i.test(href)) return h("span", { key }, nodes(child));
  return h("a", { key, class: "go", href, title: href, target: "_blank", rel: "noopener noreferrer" }, child.childNodes.length ? [...child.childNodes].map((one, i) => (one.nodeType === Node.TEXT_NODE ? one.data : node(one, i))) : href);
}

function picture(child, key) {
  const src = child.getAttribute("src") ?? "";
  return src.startsWith(`${filesOrigin}/files/`) ? h("img", { key, src, alt: child.getAttribute("alt") ?? "", class: "inline", loading: "lazy" }) : null;
}

const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;

/** Simple HTML as nodes; what is not on the list loses its tag and keeps its words. */
export const fromHtml = (html) => nodes(parse(html));

const DRESSED = /background|border|(^|[;\s])(color|width|height|float|padding)\s*:/i;
const INKS = /color\s*:\s*(black|#000(000)?|#1[0-9a-f]1[0-9a-f]1[0-9a-f]|#222(222)?|#333(333)?|windowtext|rgb\(0,\s*0,\s*0\)|inherit)\b/gi;

/** Whether a letter brings a design of its own (tables, grounds, colours) and so wants a sheet of its own. */
export function isDesigned(html) {
  if (/<(table|font)\b|bgcolor=/i.test(html)) return true;
  return [...parse(html).querySelectorAll("[style]")].some((one) => DRESSED.test(one.getAttribute("style").replace(INKS, "")));
}

/** The language family of a text where its script tells it: for faces and line height. */
export const scriptOf = (text) =>
  /[\u0600-\u06ff]/.test(text) ? "ar" : /[\u0590-\u05ff]/.test(text) ? "he" : /[\u3040-\u30ff]/.test(text) ? "ja" : undefined;
