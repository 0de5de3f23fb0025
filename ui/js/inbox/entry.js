// @ts-check
// One entry of the timeline: a message, a note, or something that happened.
import { Happening } from "./happening.js";
import { Face, Icon, WAY, WAY_WORD, html } from "./html.js";
import { Files } from "./file_list.js";
import { Letter } from "./letter.js";
import { openId } from "./route.js";
import { fromHtml, isDesigned, paragraphs, scriptOf } from "./rich.js";
import { toHtml } from "./markup.js";
import { authorOf, me, person, rowOf } from "./store.js";
import { State } from "./delivery.js";
import { clock, full } from "./time.js";
import { say } from "./toasts.js";
import { hereAt } from "./presence.js";

const Time = ({ at }) => html`<time datetime=${new Date(at).toISOString()} title=${full(at)}>${clock(at)}</time>`;

/** What was said: plain, lightly formatted, or a letter with a design of its own. */
function Said({ entry }) {
  const { html: letter, text } = entry;
  if (letter && entry.by === "customer" && isDesigned(letter)) return html`<${Letter} html=${letter} text=${text} />`;
  const formed = letter ?? (entry.kind === "note" ? toHtml(text) : null);
  return html`<div class="body" dir="auto" lang=${entry.lang ?? scriptOf(text)}>${formed ? fromHtml(formed) : paragraphs(text)}</div>`;
}

function Quoted({ quoted }) {
  if (!quoted || !(quoted.text || quoted.html)) return null;
  return html`<details class="folded"><summary><${Icon} is="more" small />Quoted text</summary><blockquote dir="auto" class="body">${quoted.html && !isDesigned(quoted.html) ? fromHtml(quoted.html) : paragraphs((quoted.text ?? "").replace(/^(> ?)+/gm, ""))}</blockquote></details>`;
}

function Pictures({ count }) {
  if (!count) return null;
  return html`<div class="strip"><${Icon} is="noimg" /><span>${count === 1 ? "1 remote picture" : `${count} remote pictures`} not loaded. ${count === 1 ? "It" : "They"} would tell the sender that you read this.</span></div>`;
}

/** The way it came, and to whom: only what is not plain from the place. */
function Way({ entry }) {
  const to = entry.by === "customer" ? entry.to : entry.cc.length ? entry.to : [];
  const words = [to.length ? `to ${to[0]}${to.length > 1 ? ` and ${to.length - 1} more` : ""}` : WAY_WORD[entry.via] ?? entry.via, entry.cc.length ? `cc ${entry.cc.length}` : ""].filter(Boolean).join(", ");
  const all = [to.length && `To: ${to.join(", ")}`, entry.cc.length && `Cc: ${entry.cc.join(", ")}`].filter(Boolean).join("\n");
  return html`<span class="via" title=${all || undefined}><${Icon} is=${WAY[entry.via] ?? "chat"} small /><span class="cut">${words}</span></span>`;
}

const VOUCH = { vouched: ["shield", ""], nobody: ["at", "nobody vouched"], denied: ["alert", "not from there"] };

/** What could be checked about who sent a letter, where there is something to say; the sentence by pointing at it or pressing it. */
function Vouch({ sender: { is, says } }) {
  const [icon, word] = VOUCH[is] ?? [];
  return icon && html`<button type="button" class="undress vouch" data-is=${is} title=${says} aria-label=${says} onClick=${() => say(says, { icon, bad: is === "denied" })}><${Icon} is=${icon} small />${word && html`<span class=${is === "denied" ? "" : "wide-only"}>${word}</span>`}</button>`;
}

function FromCustomer({ entry, latest }) {
  const row = rowOf(openId.value)?.value;
  const name = entry.author_name || row?.customer.name || "Customer";
  const isHere = latest && row && hereAt(row.id).value.visitor.here;
  const other = entry.disguised || entry.from_address && row && entry.author_name && entry.author_name !== row.customer.name;
  return html`<article class="msg" data-by="customer" data-entry=${entry.id}><${Face} name=${name} hue=${row?.customer.hue ?? 265} on=${isHere ? "here" : undefined} /><div class="in">
    <header><b class="cut" dir="auto" title=${[entry.from_address, entry.sender?.says].filter(Boolean).join("\n") || undefined}>${name}</b>${other && html`<bdi class="via cut" dir="ltr" data-disguised=${entry.disguised || undefined}>${entry.from_address}</bdi>`}${entry.sender && html`<${Vouch} sender=${entry.sender} />`}<${Way} entry=${entry} />${entry.automatic && html`<span class="small faint">automatic</span>`}<${Time} at=${entry.at} /></header>
    <${Pictures} count=${entry.remote_pictures} /><${Said} entry=${entry} /><${Files} files=${entry.files} inPlace=${entry.html} /><${Quoted} quoted=${entry.quoted} /></div></article>`;
}

const called = (entry) => (entry.author_id === me.staff_user_id ? "You" : authorOf(entry));

const FromStaff = ({ entry }) => html`<article class="msg" data-by="staff" data-entry=${entry.id} data-pending=${entry.pending?.state}><div class="in">
  <header><b class="cut" dir="auto">${called(entry)}</b>${entry.via ? html`<${Way} entry=${entry} />` : null}<${Time} at=${entry.at} /></header>
  <${Said} entry=${entry} /><${Files} files=${entry.files} inPlace=${entry.html} /><${Quoted} quoted=${entry.quoted} /><${State} entry=${entry} /></div></article>`;

const Note = ({ entry }) => html`<article class="msg" data-by="note" data-entry=${entry.id} data-pending=${entry.pending?.state}><div class="in">
  <header><b class="cut" dir="auto">${called(entry)}</b><span class="only"><${Icon} is="lock" small />Note<span class="wide-only"> · only your team sees this</span></span><${Time} at=${entry.at} /></header>
  <${Said} entry=${entry} /><${Files} files=${entry.files} />${entry.pending && html`<${State} entry=${entry} />`}</div></article>`;

export function Entry({ entry, latest = false }) {
  if (entry.kind === "event") return html`<${Happening} entry=${entry} />`;
  if (entry.kind === "note") return html`<${Note} entry=${entry} />`;
  return entry.by === "customer" ? html`<${FromCustomer} entry=${entry} latest=${latest} />` : html`<${FromStaff} entry=${entry} />`;
}
