// @ts-check
// What became of an answer, always as a word: sending, sent, delivered, seen, not delivered and why.
import { Icon, html } from "./html.js";
import { focusComposer } from "./composer_acts.js";
import { draftOf, touched } from "./drafts.js";
import { dropItem, retry, takeBack } from "./outbox.js";
import { plainReason } from "./reasons.js";
import { openId } from "./route.js";
import { clock } from "./time.js";

/** The same words in the composer, to be sent once more. */
function writeAgain(entry) {
  const draft = draftOf(openId.peek());
  draft.kind.value = "reply";
  draft.reply.text.value = entry.text;
  touched(draft);
  focusComposer("reply");
}

const line = (icon, words, tone = "") => html`<div class=${`state ${tone}`}><${Icon} is=${icon} small />${words}</div>`;

function Pending({ item }) {
  if (item.state === "sending") return line("clock", "Sending…");
  if (item.state === "waiting") return line("offline", "Goes out as soon as the server is reached");
  return html`<div class="state late" role="alert"><${Icon} is="alert" small /><span>Not sent. ${item.error}</span>
    <span class="push line"><button class="go" onClick=${() => retry(item)}>Try again</button><button class="go" onClick=${() => takeBack(item)}>Edit</button><button class="go" onClick=${() => dropItem(item.id)}>Discard</button></span></div>`;
}

export function State({ entry }) {
  if (entry.pending) return html`<${Pending} item=${entry.pending} />`;
  const { state } = entry;
  if (!state) return null;
  if (state.is === "waiting" || state.is === "sending") return line("clock", entry.via === "email" ? "On its way" : "Sent");
  if (state.is === "sent") return line("check", `Sent ${clock(state.at)}`);
  if (state.is === "delivered") return line("check2", `Delivered ${clock(state.at)}`);
  if (state.is === "seen") return line("check2", `Seen ${clock(state.at)}`);
  if (state.is === "held") return line("clock", "Held");
  const { words, theirs } = plainReason(state.reason);
  return html`<div class="refused" role="group" aria-label="Not delivered"><p class="late line"><${Icon} is="alert" small /><b>Not delivered</b><span class="push small faint">${clock(state.at)}</span></p>
    <p>${words} <span class="muted">Your words are safe here.</span></p>
    <p class="line wrap"><button class="btn" onClick=${() => writeAgain(entry)}><${Icon} is="pen" />Write again</button>
    ${theirs && html`<details class="folded"><summary>What their side said</summary><blockquote dir="ltr"><code>${theirs}</code></blockquote></details>`}</p></div>`;
}
