// @ts-check
// Zone 4: whose words these are — how to reach them, what we know, what was said before, what is held.
import { signal } from "@preact/signals";
import { put } from "./api.js";
import { Face, Icon, html } from "./html.js";
import { openNumber } from "./open.js";
import { hereAt } from "./presence.js";
import { openId, zone } from "./route.js";
import { keepRow, may, readRow, rowOf } from "./store.js";
import { full, month, since } from "./time.js";
import { talkOf } from "./talks.js";
import { sayError } from "./toasts.js";
import { STATUS } from "./views.js";

const ICON = { email: "mail", phone: "phone", external: "id" };
const SHOWN_PAST = 6;
const editing = signal(/** @type {string|null} */ (null));
const languages = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });

function languageOf(tag) {
  try {
    return languages.of(tag);
  } catch {
    return tag;
  }
}

async function rename(talk, customer, name) {
  editing.value = null;
  if (!name.trim() || name === customer.name) return;
  try {
    const told = await put(`/api/customers/${customer.id}`, { name: name.trim() });
    talk.customer.value = { ...talk.customer.peek(), ...told };
    const row = readRow(talk.id);
    keepRow({ ...row, customer: { ...row.customer, name: told.name } });
  } catch (error) {
    sayError(/** @type {Error} */ (error), "The name was not saved. ");
  }
}

function Name({ talk, customer }) {
  if (editing.value !== customer.id) {
    return html`<h2 dir="auto">${customer.name}</h2>${may("customers") && html`<button class="btn btn--bare btn--icon btn--tiny" aria-label="Change the name" title="Change the name" onClick=${() => (editing.value = customer.id)}><${Icon} is="pen" small /></button>`}`;
  }
  return html`<input class="rename" dir="auto" aria-label="Name" maxlength="120" value=${customer.named === false ? "" : customer.name} ref=${(one) => one && (one.focus(), one.select())}
    onKeyDown=${(event) => { if (event.key === "Enter") rename(talk, customer, event.target.value); else if (event.key === "Escape") editing.value = null; event.stopPropagation(); }} onBlur=${(event) => editing.value && rename(talk, customer, event.target.value)} />`;
}

function Past({ talks, here }) {
  const others = talks.filter((one) => one.id !== here);
  if (!others.length) return null;
  return html`<section><h3 class="label">Earlier conversations</h3>
    ${others.slice(0, SHOWN_PAST).map((one) => html`<a class="past" key=${one.id} href=${`/inbox/all/${one.number}`} title=${`${STATUS[one.status] ?? ""}, ${full(one.last_at)}`} onClick=${(event) => { if (event.metaKey || event.ctrlKey) return; event.preventDefault(); openNumber(one.number); }}><span>#${one.number}</span><span class="cut" dir="auto">${one.subject || "No words"}</span><time>${month(one.last_at)}</time></a>`)}
    ${others.length > SHOWN_PAST && html`<p class="small faint">and ${others.length - SHOWN_PAST} more</p>`}</section>`;
}

function Panel({ talk, customer, row }) {
  const isHere = hereAt(row.id).value.visitor.here || (customer.here && row.via === "chat");
  const { messages, files } = customer.held;
  return html`<div class="scroll">
    <section><div class="line wide"><${Face} name=${customer.name} hue=${customer.hue} size="2.5rem" on=${isHere ? "here" : undefined} /><div class="grow"><div class="line name"><${Name} talk=${talk} customer=${customer} /></div><p class="small muted">${isHere ? "here now" : row.via === "chat" ? "not here now" : "writes by e-mail"}</p></div></div></section>
    ${customer.addresses.length > 0 && html`<section><h3 class="label">Addresses</h3>${customer.addresses.map((one) => html`<p class="line" key=${one.kind + one.value}><${Icon} is=${ICON[one.kind] ?? "id"} tone="faint" /><bdi class="cut" dir="ltr" title=${one.value}>${one.value}</bdi>${one.proven === false && html`<span class="small faint push" title="They gave this address; nothing has come from it yet">not proven</span>`}</p>`)}</section>`}
    <section><h3 class="label">About them</h3><dl class="facts"><dt>Customer</dt><dd>since ${since(customer.since)}</dd>${customer.lang && html`<dt>Language</dt><dd>${languageOf(customer.lang)}</dd>`}<dt>Wrote</dt><dd>${customer.conversations.length > 1 ? `${customer.conversations.length} conversations` : "this conversation"}</dd><dt>Now by</dt><dd>${row.via === "chat" ? "chat" : "e-mail"}</dd></dl></section>
    <${Past} talks=${customer.conversations} here=${row.id} />
  </div>
  <section class="privacy"><h3 class="label"><${Icon} is="shield" small />Privacy</h3>
    <dl class="facts facts--short"><dt>Held</dt><dd>${messages} ${messages === 1 ? "message" : "messages"}${files ? `, ${files} ${files === 1 ? "file" : "files"}` : ""}</dd></dl><p class="small faint">Sealed under a key of their own.</p>${may("erase") && html`<p><a class="go small" href=${`/settings/erasures?customer=${customer.id}`}>Data and erasing</a></p>`}</section>`;
}

const Waiting = () => html`<div class="scroll"><section class="late-bones"><div class="line wide"><i class="bone bone--big"></i><div class="stack bones grow"><i class="bone half"></i><i class="bone third"></i></div></div></section></div>`;

export function Customer() {
  const id = openId.value;
  const row = id && rowOf(id)?.value;
  if (!row) return null;
  const talk = talkOf(id), customer = talk.customer.value;
  return html`<aside class="zone customer" id="customer" aria-label="Customer">
    <div class="bar only-sheet"><button class="btn btn--bare btn--icon" aria-label="Back to the conversation" onClick=${() => (zone.value = "conversation")}><${Icon} is="back" flip /></button><b>Customer</b></div>
    ${customer ? html`<${Panel} talk=${talk} customer=${customer} row=${row} />` : html`<${Waiting} />`}</aside>`;
}
