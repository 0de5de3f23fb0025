// @ts-check
// Where one answers. Reply and note are two sides with words of their own; ground, edge, label and button change together.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get } from "./api.js";
import { draftOf, takeDraft, touched } from "./drafts.js";
import { addFiles, isUploading, removeFile } from "./files.js";
import { Icon, Key, html, keyName, spoken } from "./html.js";
import { openMenu } from "./menu_state.js";
import { sendNow } from "./composer_acts.js";
import { hereAt, iType } from "./presence.js";
import { firstName, may, person } from "./store.js";
import { link, list, surround } from "./text_tools.js";
import { full, size } from "./time.js";

/** Where the reply goes. */
function To({ row, talk }) {
  const name = firstName(row.customer.name);
  const address = talk.customer.value?.addresses.find((one) => one.kind === "email")?.value;
  if (row.via !== "chat") return html`to <b>${name}</b> by e-mail`;
  const isHere = hereAt(row.id).value.visitor.here;
  if (isHere) return html`to <b>${name}</b> by chat${address && html`<span class="wide-only">, then e-mail if they leave</span>`}`;
  return address ? html`to <b>${name}</b> by chat<span class="wide-only"> and e-mail: they have left</span>` : html`to <b>${name}</b> by chat<span class="wide-only">, when they come back</span>`;
}

function Others({ id }) {
  const writing = hereAt(id).value.people.filter((one) => one.typing).map((one) => firstName(person(one.staff_user_id).name));
  if (!writing.length) return null;
  return html`<div class="strip strip--above" role="status"><span class="typing" aria-hidden="true"><i></i><i></i><i></i></span><span><b>${writing.join(" and ")}</b> ${writing.length > 1 ? "are" : "is"} writing here too.</span></div>`;
}

/** Who is set aside, or objected: said where one would write to them. */
function Rights({ row, talk, draft }) {
  if (row.restricted) return html`<div class="strip strip--note strip--above" role="status"><${Icon} is="lock" /><span class="grow"><b>Their data is set aside.</b> It is kept, and nothing else is done with it.</span>${may("answer") && html`<label class="line tight"><input type="checkbox" checked=${draft.knowingly.value} onChange=${(event) => (draft.knowingly.value = event.target.checked)} />Write to them all the same</label>`}</div>`;
  const since = talk.customer.value?.objected_at;
  return since ? html`<div class="strip strip--note strip--above" role="status"><${Icon} is="lock" /><span class="grow"><b>They objected to being written to</b> on ${full(since)}. You can answer what they write after it.</span></div>` : null;
}

function Newer({ draft }) {
  if (!draft.other.value) return null;
  const show = async () => {
    const told = await get(`/api/conversations/${draft.id}`).catch(() => null);
    draft.other.value = null;
    draft.dirty = false;
    draft.revision = 0;
    takeDraft(draft.id, told?.draft);
  };
  const mine = () => ((draft.other.value = null), (draft.revision = Date.now() + 60_000), touched(draft, 0));
  return html`<div class="strip strip--above" role="alert"><${Icon} is="alert" /><span class="grow"><b>Newer words were kept elsewhere.</b> Yours are still here.</span><button class="btn" onClick=${show}>Take those</button><button class="btn" onClick=${mine}>Keep mine</button></div>`;
}

function Attached({ draft, side }) {
  if (!side.files.value.length) return null;
  return html`<ul class="files attached" aria-label="Files">${side.files.value.map((file) => html`<li class="file" key=${file.key} data-error=${Boolean(file.error) || undefined}>
    ${file.error ? html`<${Icon} is="alert" tone="late" />` : file.id ? html`<${Icon} is=${file.type?.startsWith("image/") ? "img" : "file"} />` : html`<span class="ring" style=${`--part:${Math.round(file.progress * 100)}%`} role="progressbar" aria-valuenow=${Math.round(file.progress * 100)} aria-label=${`${file.name} is on its way`}></span>`}
    <span class="cut-file"><span class="cut" dir="auto">${file.name}</span><small class=${file.error ? "late" : ""}>${file.error ?? size(file.size)}</small></span>
    ${file.error && file.again && html`<button class="btn btn--bare" onClick=${file.again}>Again</button>`}
    <button class="btn btn--bare btn--icon" aria-label=${`Take ${file.name} off`} onClick=${() => removeFile(draft, side, file)}><${Icon} is="x" small /></button></li>`)}</ul>`;
}

const Tool = ({ label, act, keys = "", children }) => html`<button type="button" class="btn btn--bare btn--icon" aria-label=${label} aria-keyshortcuts=${keys ? spoken(keys) : undefined} title=${keys ? `${label} ${keyName(keys)}` : label} onMouseDown=${(event) => event.preventDefault()} onClick=${act}>${children}</button>`;

function Tools({ draft, side, isNote, send }) {
  const picker = useRef(/** @type {any} */ (null));
  const waits = isUploading(side);
  return html`<div class="bar" role="toolbar" aria-label="Writing">
    <span class="line wide-only tools"><${Tool} label="Bold" keys="mod+b" act=${() => surround("**")}><b>B</b><//><${Tool} label="Italic" keys="mod+i" act=${() => surround("*")}><i class="serif">I</i><//><${Tool} label="List" act=${list}><${Icon} is="ul" /><//><${Tool} label="Link" act=${link}><${Icon} is="link" /><//><${Tool} label="Code" act=${() => surround("\`")}><${Icon} is="code" /><//><hr /></span>
    <${Tool} label="Attach a file" act=${() => picker.current.click()}><${Icon} is="clip" /><//><input type="file" multiple hidden ref=${picker} onChange=${(event) => (addFiles(draft, side, event.target.files), (event.target.value = ""))} />
    <button type="button" class="btn btn--bare btn--icon" aria-label="Emoji" title="Emoji" aria-haspopup="dialog" onClick=${(event) => openMenu("emoji", event.currentTarget)}><${Icon} is="smile" /></button>
    ${isNote
      ? html`<button type="button" class="btn btn--note push" data-act="send" aria-disabled=${waits} aria-keyshortcuts=${spoken("mod+enter")} onClick=${send}>Add note<${Key} of="mod+enter" /></button>`
      : html`<span class="split push"><button type="button" class="btn btn--main" data-act="send" aria-disabled=${waits} aria-keyshortcuts=${spoken("mod+enter")} onClick=${send}>Send<${Key} of="mod+enter" /></button><button type="button" class="btn btn--main" aria-label="More ways to send" aria-haspopup="dialog" onClick=${(event) => openMenu("sending", event.currentTarget)}><${Icon} is="down" small /></button></span>`}
  </div>`;
}

const MARKS = { b: "**", i: "*" };

export function Composer({ id, row, talk }) {
  const draft = draftOf(id), kind = draft.kind.value, side = draft[kind];
  const isNote = kind === "note";
  const dropping = useSignal(false);
  const field = useRef(/** @type {any} */ (null));
  const who = firstName(row.customer.name);

  useEffect(() => {
    // Where the browser does not grow a field by itself.
    if (CSS.supports("field-sizing", "content")) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [side.text.value, kind]);

  const written = (event) => {
    side.text.value = event.target.value;
    touched(draft);
    if (event.target.value) iType();
  };
  const pressed = (event) => {
    const mark = (event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey && MARKS[event.key];
    if (mark) (event.preventDefault(), surround(mark));
  };
  const pasted = (event) => event.clipboardData?.files.length && (event.preventDefault(), addFiles(draft, side, event.clipboardData.files));
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const drop = (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    dropping.value = false;
    addFiles(draft, side, event.dataTransfer.files);
  };
  const choose = (to) => (draft.kind.value = to);
  return html`<${Rights} row=${row} talk=${talk} draft=${draft} /><${Newer} draft=${draft} /><${Others} id=${id} />
  <form class="composer" data-side=${kind} aria-label=${isNote ? "A note to your team" : `Answer to ${who}`} data-drop=${dropping.value || undefined} onSubmit=${(event) => event.preventDefault()}
      onDragOver=${(event) => carries(event) && (event.preventDefault(), (dropping.value = true))} onDragLeave=${(event) => event.currentTarget.contains(event.relatedTarget) || (dropping.value = false)} onDrop=${drop}>
    <div class="bar"><div class="segments" role="radiogroup" aria-label="Reply or note">
        ${may("answer") && html`<label data-on=${!isNote || undefined}><input type="radio" name="side" value="reply" checked=${!isNote} aria-keyshortcuts="r" onChange=${() => choose("reply")} /><${Icon} is="reply" flip />Reply<${Key} of="r" /></label>`}${may("note") && html`<label data-on=${isNote || undefined}><input type="radio" name="side" value="note" checked=${isNote} aria-keyshortcuts="n" onChange=${() => choose("note")} /><${Icon} is="pen" />Note<${Key} of="n" /></label>`}</div>
      ${isNote ? html`<span class="cut small"><b>Only your team sees this.</b></span>` : html`<span class="cut muted small"><${To} row=${row} talk=${talk} /></span>`}</div>
    <textarea key=${id + kind} ref=${field} dir="auto" class="text" rows="2" aria-label=${isNote ? "Note to your team" : `Reply to ${who}`} placeholder=${isNote ? "Write to your team." : `Write to ${who}.`} value=${side.text.value} onInput=${written} onKeyDown=${pressed} onPaste=${pasted}></textarea>
    <${Attached} draft=${draft} side=${side} />
    <${Tools} draft=${draft} side=${side} isNote=${isNote} send=${() => sendNow()} />
    ${dropping.value && html`<p class="drop-here" aria-hidden="true">Let go to attach${isNote ? " to the note" : ""}</p>`}
  </form>`;
}
