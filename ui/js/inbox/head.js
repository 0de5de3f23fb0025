// @ts-check
// The head of a conversation: what it is about, who is here, and what can be done with it, each with its key.
import { signal } from "@preact/signals";
import { rename, setStatus } from "./acts.js";
import { Chip, Face, Icon, Key, html, spoken } from "./html.js";
import { openMenu } from "./menu_state.js";
import { close, step } from "./open.js";
import { hereAt } from "./presence.js";
import { zone } from "./route.js";
import { firstName, may, me, person, tagsOf, titleOf } from "./store.js";
import { soon } from "./time.js";
import { STATUS } from "./views.js";

const SHOWN_TAGS = 2;
const renaming = signal(/** @type {string|null} */ (null));

function Subject({ row }) {
  if (renaming.value !== row.id) return html`<h2 class="title cut" dir="auto" title=${titleOf(row)}>${titleOf(row)}</h2>`;
  const end = (event, keep) => {
    renaming.value = null;
    if (keep) rename(row.id, event.target.value);
  };
  return html`<input class="title rename" dir="auto" aria-label="Subject" maxlength="300" value=${row.subject ?? ""} ref=${(one) => one && (one.focus(), one.select())}
    onKeyDown=${(event) => { if (event.key === "Enter") end(event, true); else if (event.key === "Escape") end(event, false); event.stopPropagation(); }} onBlur=${(event) => renaming.value && end(event, true)} />`;
}

function Others({ id }) {
  const { people } = hereAt(id).value;
  return html`<span class="faces push">${people.map((one) => {
    const who = person(one.staff_user_id);
    return html`<${Face} key=${one.staff_user_id} name=${who.name} hue=${who.hue} photo=${who.photo} staff size="1.5rem" label=${`${who.name} ${one.typing ? "is writing" : "is here"}`} />`;
  })}</span>`;
}

function Assignee({ row }) {
  const who = row.assignee_id && person(row.assignee_id);
  if (!may("arrange")) return html`<span class="small muted">${who ? `With ${row.assignee_id === me.staff_user_id ? "you" : firstName(who.name)}` : "With nobody"}</span>`;
  return html`<button class="btn" data-menu="assign" aria-haspopup="dialog" aria-keyshortcuts="a" title="Assign" onClick=${(event) => openMenu("assign", event.currentTarget)}>
    ${who ? html`<${Face} name=${who.name} hue=${who.hue} photo=${who.photo} staff size="1.125rem" />${row.assignee_id === me.staff_user_id ? "You" : firstName(who.name)}` : html`<${Icon} is="user" />Nobody`}<${Key} of="a" /></button>`;
}

const Tags = ({ row }) => {
  const tags = tagsOf(row), shown = tags.length > SHOWN_TAGS ? 1 : tags.length, more = tags.length - shown;
  return html`<span class="line tight wide-only">
    ${tags.slice(0, 1).map((tag) => html`<${Chip} key=${tag.id} tag=${tag} />`)}
    ${shown > 1 && html`<span class="roomy">${tags.slice(1, shown).map((tag) => html`<${Chip} key=${tag.id} tag=${tag} />`)}</span>`}
    ${more > 0 && html`<span class="small faint" title=${tags.slice(shown).map((tag) => tag.name).join(", ")}>+${more}</span>`}
    ${may("arrange") && html`<button class="btn btn--bare btn--slim" data-menu="tags" aria-label="Tags" title="Tags" aria-haspopup="dialog" aria-keyshortcuts="l" onClick=${(event) => openMenu("tags", event.currentTarget)}><${Icon} is=${tags.length ? "plus" : "tag"} small /><${Key} of="l" /></button>`}</span>`;
};

const wording = (row) => (row.spam ? "Spam" : row.snoozed_until ? `Until ${soon(row.snoozed_until)}` : STATUS[row.status]);

export function Head({ row }) {
  const isDone = row.status === "done" && !row.snoozed_until;
  return html`<header class="head">
    <div class="line">
      <button class="btn btn--bare btn--icon phone-only" aria-label="Back to the list" onClick=${close}><${Icon} is="back" flip /></button>
      <${Subject} row=${row} /><span class="faint">#${row.number}</span>
      <${Others} id=${row.id} />
      <span class="line wide-only pair"><button class="btn btn--bare btn--icon" aria-label="Previous conversation" title="Previous (k)" aria-keyshortcuts="k" onClick=${(event) => step(-1, event)}><${Icon} is="up" /></button><button class="btn btn--bare btn--icon" aria-label="Next conversation" title="Next (j)" aria-keyshortcuts="j" onClick=${(event) => step(1, event)}><${Icon} is="down" /></button></span>
      <button class="btn btn--bare btn--icon" aria-label="More" title="More" aria-haspopup="dialog" onClick=${(event) => openMenu("more", event.currentTarget, { rename: () => (renaming.value = row.id) })}><${Icon} is="more" /></button>
      <button class="btn btn--bare btn--icon to-customer" aria-label="Customer" title="Customer" onClick=${() => (zone.value = zone.value === "customer" ? "conversation" : "customer")}><${Icon} is="user" /></button>
    </div>
    <div class="line">
      ${!may("arrange") ? html`<span class="small"><b>${wording(row)}</b></span>` : html`<button class="btn status" data-menu="status" data-is=${row.snoozed_until ? "snoozed" : row.status} aria-haspopup="dialog" aria-keyshortcuts="s" title="Whose turn (s)" onClick=${(event) => openMenu("status", event.currentTarget)}>${wording(row)}<${Icon} is="down" small /></button>`}
      <${Assignee} row=${row} /><${Tags} row=${row} />
      ${may("arrange") && html`<button class="btn btn--bare push" data-menu="snooze" aria-label="Snooze" title="Snooze" aria-haspopup="dialog" aria-keyshortcuts="b" onClick=${(event) => openMenu("snooze", event.currentTarget)}><${Icon} is="snooze" /><span class="roomy">Snooze</span><${Key} of="b" /></button>
      <button class="btn" aria-keyshortcuts=${spoken("e")} data-act="done" onClick=${() => setStatus(row.id, isDone ? "todo" : "done")}><${Icon} is=${isDone ? "undo" : "check"} />${isDone ? "To do" : "Done"}<${Key} of="e" /></button>`}
    </div>
  </header>`;
}
