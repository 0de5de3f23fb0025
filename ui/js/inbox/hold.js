// @ts-check
// An answer is held: something new arrived that its writer had not seen. It waits where it was written.
import { useEffect, useRef } from "preact/hooks";
import { draftOf, touched } from "./drafts.js";
import { Entry } from "./entry.js";
import { Face, Key, html } from "./html.js";
import { focusComposer } from "./composer_acts.js";
import { markSeen } from "./open.js";
import { dropItem, sendAnyway, takeBack } from "./outbox.js";
import { paragraphs } from "./rich.js";
import { authorOf, firstName, person, rowOf } from "./store.js";
import { ago, length, now } from "./time.js";

function headline(latest, customer) {
  if (!latest) return "Something new arrived";
  const passed = now.value - latest.at;
  const when = passed < 60_000 ? `${Math.max(1, Math.round(passed / 1000))} s ago` : passed < 3_600_000 ? `${length(passed)} ago` : `at ${ago(latest.at)}`;
  return latest.by === "customer" ? `${firstName(customer.name)} wrote ${when}` : `${firstName(authorOf(latest))} answered ${when}`;
}

export function Hold({ item, talk }) {
  const box = useRef(/** @type {any} */ (null));
  const { customer } = rowOf(item.conversation).value;
  const entries = item.entries ?? [];
  const latest = entries.at(-1);
  const face = latest?.by === "staff" ? person(latest.author_id) : customer;
  useEffect(() => {
    box.current.querySelector("[data-first]").focus();
    markSeen(talk);
  }, []);
  const edit = () => (takeBack(item), focusComposer());
  const asNote = () => (takeBack(item, "note"), touched(draftOf(item.conversation)), focusComposer("note"));
  const pressed = (event) => {
    if (event.key === "n") asNote();
    else if (event.key === "Escape") edit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="hold dialog" role="alertdialog" aria-labelledby="hold-title" aria-describedby="hold-words" ref=${box} onKeyDown=${pressed}>
    <div class="hold-in stack">
      <div class="line wide"><${Face} name=${face.name} hue=${face.hue} staff=${latest?.by === "staff"} size="2.25rem" /><div><h3 class="title" id="hold-title">${headline(latest, customer)}</h3><p class="muted" id="hold-words">Your reply is held. Look before you send.</p></div></div>
      <div class="hold-new">${entries.slice(-5).map((entry) => html`<${Entry} key=${entry.id} entry=${entry} />`)}</div>
      <div><p class="label">Yours, not sent</p><div class="body muted yours" dir="auto">${paragraphs(item.typed)}</div></div>
    </div>
    <div class="bar wrap">
      <button class="btn btn--bare" onClick=${() => dropItem(item.id)}>Discard mine</button><button class="btn btn--bare" aria-keyshortcuts="n" onClick=${asNote}>Keep as note<${Key} of="n" /></button>
      <button class="btn push" onClick=${() => sendAnyway(item)}>Send anyway</button><button class="btn btn--main" data-first onClick=${edit}>Edit mine<kbd aria-hidden="true">↵</kbd></button>
    </div></div>`;
}
