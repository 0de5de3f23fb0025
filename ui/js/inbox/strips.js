// @ts-check
// Strips: what happened to the connection or to the account, beginning with what is safe.
import { offlineSince, signedOut } from "./api.js";
import { Icon, html } from "./html.js";
import { waitingCount } from "./outbox.js";
import { sync } from "./sync.js";
import { clock } from "./time.js";
import { told } from "./told.js";

const many = (count, one, more) => `${count} ${count === 1 ? one : more}`;

function Offline() {
  if (!offlineSince.value) return null;
  const { replies, notes } = waitingCount.value;
  const parts = [replies && many(replies, "reply", "replies"), notes && many(notes, "note", "notes")].filter(Boolean);
  return html`<div class="strip strip--top" role="status"><${Icon} is="offline" /><span class="grow"><b>Offline since ${clock(offlineSince.value)}.</b> Keep writing: ${parts.length ? `${parts.join(" and ")} ${replies + notes === 1 ? "goes" : "go"} out by ${replies + notes === 1 ? "itself" : "themselves"}.` : "what you send goes out by itself."}</span>
    <button class="btn" onClick=${() => sync()}>Try now</button></div>`;
}

const SignedOut = () => signedOut.value && html`<div class="strip strip--danger strip--top" role="alert"><${Icon} is="alert" /><span class="grow"><b>You are signed out.</b> What you wrote is kept in this browser.</span><a class="btn" href="/sign-in">Sign in</a></div>`;

const readOnly = told.boot.read_only;
const ReadOnly = () => readOnly && html`<div class="strip strip--note strip--top" role="status"><${Icon} is="lock" /><span class="grow"><b>${readOnly.title}</b> ${readOnly.why}</span>${readOnly.mend && html`<a class="btn" href=${readOnly.mend}>${readOnly.words}</a>`}</div>`;

export const ListStrips = () => html`<${Offline} /><${SignedOut} /><${ReadOnly} />`;
