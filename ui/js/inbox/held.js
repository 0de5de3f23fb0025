// @ts-check
// Held back: letters that could not be placed. Nothing is dropped silently; each has its reason, its original and its ways out.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { del, get, post } from "./api.js";
import { RowBones } from "./bones.js";
import { Trouble } from "./empty.js";
import { Icon, html } from "./html.js";
import { openMenu } from "./menu_state.js";
import { counts, may } from "./store.js";
import { ListStrips } from "./strips.js";
import { ago, full, size } from "./time.js";
import { say, sayError } from "./toasts.js";
import { sync } from "./sync.js";

const items = signal(/** @type {any[]|null} */ (null));
const error = signal(/** @type {any} */ (null));
const chosen = signal(/** @type {string|null} */ (null));
const sure = signal(/** @type {string|null} */ (null));

async function load() {
  error.value = null;
  try {
    items.value = (await get("/api/held")).items;
    if (!items.value?.some((one) => one.id === chosen.value)) chosen.value = matchMedia("(width < 48rem)").matches ? null : items.value?.[0]?.id ?? null;
  } catch (trouble) {
    error.value = trouble;
  }
}

async function act(item, request, words) {
  try {
    await request();
    items.value = (items.value ?? []).filter((one) => one.id !== item.id);
    chosen.value = items.value[0]?.id ?? null;
    say(words, { icon: "inbox" });
    sync();
  } catch (trouble) {
    sayError(/** @type {Error} */ (trouble));
  }
}

const release = (item) => act(item, () => post(`/api/held/${item.id}/release`, {}), "The letter is in the inbox");
const discard = (item) => act(item, () => del(`/api/held/${item.id}`), "The letter is gone for good");

const Item = ({ item }) => html`<li><button class="row" aria-current=${chosen.value === item.id ? "true" : undefined} onClick=${() => ((chosen.value = item.id), (sure.value = null))}>
  <${Icon} is="shield" /><span><span class="name cut" dir="auto">${item.from || "Unknown sender"}</span><time title=${full(item.at)}>${ago(item.at)}</time></span>
  <span><span class="subject cut" dir="auto">${item.subject || "No subject"}</span></span><span class="l3"><span class="cut">${item.reason}</span></span></button></li>`;

export function Held() {
  useEffect(() => void load(), [counts.value.held]);
  return html`<section class="zone list" id="list" aria-label="Held back">
    <header class="bar"><h1 class="title">Held back</h1><button class="btn btn--bare btn--icon phone-only" aria-label="Other views" onClick=${(event) => openMenu("where", event.currentTarget)}><${Icon} is="down" /></button></header><${ListStrips} />
    <ol class="scroll" aria-label="Letters held back">
      ${error.value ? html`<li><${Trouble} error=${error.value} again=${load} /></li>` : !items.value ? html`<${RowBones} />` : items.value.map((item) => html`<${Item} key=${item.id} item=${item} />`)}
      ${items.value?.length === 0 && !error.value && html`<li class="none muted">No letter is held back. What cannot be read or placed waits here instead of being lost.</li>`}
    </ol></section>`;
}

/** The letter that is looked at: why it is held, and what can be done. */
export function HeldNote() {
  const item = items.value?.find((one) => one.id === chosen.value);
  return html`<main class="zone conversation held-note" id="conversation" tabindex="-1" aria-label="A letter held back">
    ${item ? html`<div class="held stack">
      <div class="line wide"><span class="face held-face" aria-hidden="true">?</span><div class="grow"><h2 class="title cut" dir="auto">${item.subject || "No subject"}</h2><p class="muted cut" dir="auto">${item.from || "Unknown sender"} · ${full(item.at)}</p></div><span class="chip held-chip push"><${Icon} is="shield" small />held back</span></div>
      <ul class="stack"><li class="line"><${Icon} is="x" tone="late" /><span>${item.reason}</span></li></ul>
      <div class="strip"><${Icon} is="file" /><span class="grow">The letter as it came, ${size(item.size)}. Saved as a file; no browser opens it.</span><a class="btn" href=${`/api/held/${item.id}/raw`} download="letter.eml">Save it<${Icon} is="get" small /></a></div>
      ${!may("arrange") ? null : sure.value === item.id
        ? html`<div class="line wrap" role="alertdialog" aria-label="Throw it away for good?"><b>Throw it away for good?</b><button class="btn push" onClick=${() => (sure.value = null)}>Keep it</button><button class="btn btn--danger" onClick=${() => discard(item)}><${Icon} is="trash" />Throw away</button></div>`
        : html`<div class="line wrap"><button class="btn btn--main" onClick=${() => release(item)}><${Icon} is="inbox" />Let it in</button><button class="btn btn--danger-line" onClick=${() => (sure.value = item.id)}><${Icon} is="trash" />Throw away…</button></div>`}
    </div>` : html`<div class="calm"><p class="faint">${items.value?.length ? "Choose a letter." : "Nothing is held back."}</p></div>`}</main>`;
}
