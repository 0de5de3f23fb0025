// @ts-check
// Zone 4: whose words these are — how to reach them, what we know, what was said before, what is held.
import { signal } from "@preact/signals";
import { get, put } from "./api.js";
import { Face, Icon, html } from "./html.js";
import { openNumber } from "./open.js";
import { hereAt } from "./presence.js";
import { openId, zone } from "./route.js";
import { keepRow, may, person, readRow, rowOf } from "./store.js";
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

const FROM = { staff: "Noted by", channel: "From the channel", forward: "From a letter passed on to", colleague: "Forwarded by", api: "From the program", import: "Imported", sync: "From the connected program", earlier: "Noted earlier" };
// From where something is known of them: a name is a colleague's, a channel's or a program's.
const sourced = (one) => (one ? `${FROM[one.kind]}${one.kind === "staff" || one.kind === "colleague" ? ` ${person(one.id).name}` : one.name ? ` ${one.name}` : ""}, ${full(one.at)}` : "");

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
    const from = sourced(customer.name_source);
    return html`<h2 dir="auto" title=${from}>${customer.name}</h2><span class="unseen">${from}</span>${may("customers") && html`<button class="btn btn--bare btn--icon btn--tiny" aria-label="Change the name" title="Change the name" onClick=${() => (editing.value = customer.id)}><${Icon} is="pen" small /></button>`}`;
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

/** Who looked at a customer, by the customer's id: asked for when somebody wants to know. */
const looks = signal(/** @type {{ id: string, rows?: any[], failed?: boolean }|null} */ (null));

async function askWho(id) {
  looks.value = { id };
  const told = await get(`/api/customers/${id}/looked`).catch(() => null);
  if (looks.peek()?.id === id) looks.value = told ? { id, rows: told.looked } : { id, failed: true };
}

function SeenBy({ id }) {
  const told = looks.value?.id === id ? looks.value : null;
  return html`<details key=${id} onToggle=${(event) => event.target.open && askWho(id)}><summary class="small">Seen by</summary>
    ${told?.failed ? html`<p class="small">This could not be fetched. Close and open it to try again.</p>` : !told?.rows ? html`<p class="small faint">One moment…</p>` : html`
      ${!told.rows.length && html`<p class="small faint">Nobody in the last twelve months.</p>`}
      ${told.rows.map((one) => html`<p class="small" key=${one.staff_user_id + one.deed}>${one.staff_user_id ? person(one.staff_user_id).name : "The operator"}<br /><span class="faint">${one.deed}, ${full(one.at)}</span></p>`)}
      <p><a class="go small" href=${`/settings/looked?customer=${id}`}>All of it</a></p>`}</details>`;
}

function Panel({ talk, customer, row }) {
  const isHere = hereAt(row.id).value.visitor.here || (customer.here && row.via === "chat");
  const { messages, files } = customer.held;
  return html`<div class="scroll">
    <section><div class="line wide"><${Face} name=${customer.name} hue=${customer.hue} size="2.5rem" on=${isHere ? "here" : undefined} /><div class="grow"><div class="line name"><${Name} talk=${talk} customer=${customer} /></div><p class="small muted">${isHere ? "here now" : row.via === "chat" ? "not here now" : "writes by e-mail"}</p></div></div></section>
    ${customer.addresses.length > 0 && html`<section><h3 class="label">Addresses</h3>${customer.addresses.map((one) => html`<p class="line" key=${one.kind + one.value}><${Icon} is=${ICON[one.kind] ?? "id"} tone="faint" /><bdi class="cut" dir="ltr" title=${`${one.value}\n${sourced(one.source)}`}>${one.value}</bdi><span class="unseen">${sourced(one.source)}</span>${one.proven === false && html`<span class="small faint push" title="They gave this address; nothing has come from it yet">not proven</span>`}</p>`)}</section>`}
    <section><h3 class="label">About them</h3><dl class="facts"><dt>Customer</dt><dd>since ${since(customer.since)}</dd>${customer.lang && html`<dt>Language</dt><dd title=${sourced(customer.lang_source)}>${languageOf(customer.lang)}<span class="unseen">${sourced(customer.lang_source)}</span></dd>`}<dt>Wrote</dt><dd>${customer.conversations.length > 1 ? `${customer.conversations.length} conversations` : "this conversation"}</dd><dt>Now by</dt><dd>${row.via === "chat" ? "chat" : "e-mail"}</dd></dl></section>
    <${Past} talks=${customer.conversations} here=${row.id} />
  </div>
  <section class="privacy"><h3 class="label"><${Icon} is="shield" small />Privacy</h3>
    <dl class="facts facts--short"><dt>Held</dt><dd>${messages} ${messages === 1 ? "message" : "messages"}${files ? `, ${files} ${files === 1 ? "file" : "files"}` : ""}</dd></dl><p class="small faint">Sealed under a key of their own.</p>${customer.restricted_at && html`<p class="small"><b>Set aside since ${full(customer.restricted_at)}.</b> Kept, and nothing else is done with it.</p>`}${may("ledger") && html`<${SeenBy} id=${customer.id} />`}${may("customers") && html`<p><a class="go small" href=${`/settings/rights?customer=${customer.id}`}>Rights</a></p>`}${may("erase") && html`<p><a class="go small" href=${`/settings/erasures?customer=${customer.id}`}>Data and erasing</a></p>`}</section>`;
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
