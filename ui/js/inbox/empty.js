// @ts-check
// Nothing here, nothing found, nothing loaded: calm words and one step.
import { Icon, Key, html } from "./html.js";
import { dialog } from "./dialogs.js";
import { current } from "./lists.js";
import { goTo } from "./open.js";
import { query, shown, tag } from "./route.js";
import { channels, counts, tagOf } from "./store.js";
import { VIEWS, viewOf } from "./views.js";

const Tray = () => html`<svg class="tray" viewBox="0 0 96 64" width="96" height="64" aria-hidden="true"><path d="M14 38 24 14h48l10 24v16a4 4 0 0 1-4 4H18a4 4 0 0 1-4-4zM14 38h20c1.5 7 6 10 14 10s12.500-3 14-10h20" /><path class="steam" d="M40 4c-2 3 2 5 0 8M48 2c-2 3 2 5 0 8M56 4c-2 3 2 5 0 8" /></svg>`;

const WORDS = {
  todo: "New conversations appear here.",
  mine: "New conversations for you appear here.",
  unassigned: "What nobody has taken appears here.",
  waiting: "Conversations that wait for a customer's answer appear here.",
  snoozed: "What you snooze sleeps here until its time.",
  done: "What is done lies here.",
  all: "The first conversation appears here.",
  spam: "No spam.",
};

/** The line in an empty list. */
export function ListEmpty() {
  const { view } = shown.value;
  if (query.value !== null) return html`<div class="none stack"><p class="muted">Nothing found for “<bdi>${query.value}</bdi>”.</p><p class="faint small">Try fewer or other words. Whole words and their forms are found, in messages, notes and subjects.</p>
    <p><button class="btn" onClick=${() => (dialog.value = { kind: "palette", text: query.value })}>Search again<${Key} of="/" /></button></p></div>`;
  const filter = tag.value && tagOf(tag.value);
  return html`<p class="none muted">${filter ? html`Nothing with the tag <span class="chip" style=${`--h:${filter.hue}`}>${filter.name}</span> here.` : WORDS[view]}</p>`;
}

/** The sheet when nothing is open. */
export function NothingOpen() {
  const { view } = shown.value;
  const list = current.value;
  if (list.state.value !== "ready" || list.ids.value.length || query.value !== null) return html`<div class="calm"><p class="faint">Choose a conversation: <${Key} of="j" /> <${Key} of="k" /> move, <${Key} of="enter" /> opens, <${Key} of="?" /> shows every key.</p></div>`;
  const elsewhere = VIEWS.find((one) => one.id !== view && ["unassigned", "mine", "todo"].includes(one.id) && counts.value[one.count] > 0);
  const isNew = view === "all" || (view === "todo" && !Object.values(counts.value).some(Boolean));
  return html`<div class="calm"><${Tray} /><h2 class="title">${isNew ? "Your inbox works" : view === "mine" || view === "todo" ? "Nothing waits for you" : `Nothing in ${viewOf(view).name}`}</h2>
    <p class="muted">${isNew ? html`Mail to ${channels.filter((one) => one.kind === "email").slice(0, 1).map((one) => html`<b>${one.address}</b>`)} and chats from your website arrive here.` : elsewhere ? `${counts.value[elsewhere.count]} in ${elsewhere.name}${counts.value.snoozed ? `, ${counts.value.snoozed} asleep` : ""}.` : counts.value.snoozed ? `${counts.value.snoozed} asleep; each comes back at its time.` : "Everything is answered."}</p>
    <p class="line wrap">${isNew && html`<a class="btn btn--main btn--l" href="/settings/channels">Channels</a>`}
      ${elsewhere && html`<button class="btn btn--main btn--l" onClick=${() => goTo(elsewhere.id)}>Open ${elsewhere.name}<kbd aria-hidden="true">${elsewhere.key}</kbd></button>`}
      ${counts.value.snoozed > 0 && view !== "snoozed" && html`<button class="btn btn--l" onClick=${() => goTo("snoozed")}>See snoozed<kbd aria-hidden="true">g b</kbd></button>`}</p></div>`;
}

/** What did not load, with the step that tries again. */
export const Trouble = ({ error, again, small = false, what = "This view" }) => html`<div class=${small ? "none stack" : "trouble stack"} role="alert">
  <h3 class="title">${error.status === 403 ? "You may not see this" : `${what} did not load`}</h3><p class="muted">${error.message} Your drafts are safe.</p>
  <p class="line"><button class="btn" onClick=${again}><${Icon} is="undo" />Try again</button>${error.code && html`<span class="faint small">Code ${error.status || error.code}</span>`}</p></div>`;

export const Gone = () => html`<div class="calm"><h2 class="title">There is no such conversation</h2><p class="muted">It may have been erased, or it belongs to somebody else.</p><p><button class="btn" onClick=${() => goTo("todo")}>To do<kbd aria-hidden="true">g t</kbd></button></p></div>`;
