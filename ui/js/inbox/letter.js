// @ts-check
// A letter with a design of its own: on its own sheet, in a frame that runs nothing and sizes itself.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";
import { isDark } from "./prefs.js";
import { paragraphs, scriptOf } from "./rich.js";
import { told } from "./told.js";

const TALLEST = 20_000;

const SMALL = 3;

/** The letter with a quiet box for each picture that is not loaded; the tiny ones only watched. */
function prepared(letter) {
  const { body } = new DOMParser().parseFromString(letter, "text/html");
  for (const img of body.querySelectorAll("img[data-remote-src]")) {
    const [wide, high] = [img.getAttribute("width"), img.getAttribute("height")];
    if ((wide && parseInt(wide) <= SMALL) || (high && parseInt(high) <= SMALL)) {
      img.remove();
      continue;
    }
    const box = document.createElement("span");
    box.className = "missing";
    box.textContent = img.getAttribute("alt") || "picture, not loaded";
    if (wide) box.style.width = /%$/.test(wide) ? wide : `${parseInt(wide)}px`;
    if (high && !/%$/.test(high)) box.style.height = `${Math.min(160, parseInt(high))}px`;
    img.replaceWith(box);
  }
  return body.innerHTML;
}

const page = (letter, mode) =>
  `<!doctype html><html data-mode="${mode}"><head><meta charset="utf-8"><base target="_blank"><link rel="stylesheet" href="${told.letterStyle}"></head><body dir="auto">${prepared(letter)}</body></html>`;

function Frame({ letter, mode }) {
  const frame = useRef(/** @type {any} */ (null));
  useEffect(() => {
    let watch;
    const fit = () => {
      const inside = frame.current?.contentDocument;
      if (inside?.body) frame.current.style.height = `${Math.min(TALLEST, Math.ceil(inside.documentElement.getBoundingClientRect().height))}px`;
    };
    const loaded = () => {
      fit();
      const inside = frame.current?.contentDocument;
      if (!inside?.body) return;
      for (const link of inside.links) link.rel = "noopener noreferrer";
      watch?.disconnect();
      watch = new ResizeObserver(fit);
      watch.observe(inside.documentElement);
      inside.addEventListener("keydown", (event) => {
        if (event.metaKey || event.ctrlKey) return;
        // Keys pressed inside the letter are meant for the inbox.
        dispatchEvent(new KeyboardEvent("keydown", event));
      });
    };
    frame.current.addEventListener("load", loaded);
    if (frame.current.contentDocument?.readyState === "complete") loaded();
    return () => watch?.disconnect();
  }, [letter, mode]);
  return html`<iframe ref=${frame} class="letter-frame" title="The letter" sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" srcdoc=${page(letter, mode)}></iframe>`;
}

export function Letter({ html: letter, text }) {
  const mode = useSignal("light");
  const dark = isDark();
  const choices = dark ? [["light", "Light card"], ["dark", "Dark"], ["words", "Words only"]] : [["light", "Letter"], ["words", "Words only"]];
  return html`${mode.value === "words" ? html`<div class="body" dir="auto" lang=${scriptOf(text)}>${paragraphs(text)}</div>` : html`<div class="letter" data-mode=${mode.value}><${Frame} letter=${letter} mode=${mode.value} /></div>`}
    <div class="segments segments--small" role="group" aria-label="Show the letter as">${choices.map(([name, words]) => html`<button key=${name} aria-current=${mode.value === name ? "true" : undefined} onClick=${() => (mode.value = name)}>${words}</button>`)}</div>`;
}
