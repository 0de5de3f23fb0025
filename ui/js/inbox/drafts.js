// @ts-check
// Unsent words: in memory at once, on the server a moment later, in this browser only while the server is not reached.
import { signal } from "@preact/signals";
import { Refused, del, offlineSince, put } from "./api.js";
import { change, may, me } from "./store.js";

const PAUSE = 700;
const NAME = `chatinbox-unsent-${me.staff_user_id}`;
/** @type {Map<string, ReturnType<typeof make>>} */
const drafts = new Map();

function make(id) {
  return {
    id,
    kind: signal(may("answer") ? "reply" : "note"),
    reply: { text: signal(""), files: signal(/** @type {any[]} */ ([])) },
    note: { text: signal(""), files: signal(/** @type {any[]} */ ([])) },
    /** Words another tab or computer kept after ours, when there are any. */
    other: signal(/** @type {any} */ (null)),
    /** Whether an answer goes to somebody who is set aside. */
    knowingly: signal(false),
    revision: 0,
    dirty: false,
    timer: 0,
  };
}

export function draftOf(id) {
  let draft = drafts.get(id);
  if (!draft) drafts.set(id, (draft = make(id)));
  return draft;
}

/** The words and files of the side that is written on. */
export const sideOf = (draft) => draft[draft.kind.value];
const isEmpty = (side) => !side.text.peek().trim() && !side.files.peek().length;

/** Takes over what the server kept, unless something newer stands here. */
export function takeDraft(id, kept) {
  const draft = draftOf(id);
  if (!kept || draft.dirty || kept.revision < draft.revision) return;
  draft.revision = kept.revision;
  if (may(kept.kind === "note" ? "note" : "answer")) draft.kind.value = kept.kind;
  draft[kept.kind].text.value = kept.text;
  draft[kept.kind].files.value = kept.files.map((file) => ({ ...file, key: file.id, progress: 1 }));
}

/** The side that is kept: the one written on, or the other when this one is empty. */
function keptSide(draft) {
  const here = draft.kind.peek();
  return isEmpty(draft[here]) && !isEmpty(draft[here === "reply" ? "note" : "reply"]) ? (here === "reply" ? "note" : "reply") : here;
}

/** Something was written: it is kept after a short pause. */
export function touched(draft, pause = PAUSE) {
  draft.dirty = true;
  clearTimeout(draft.timer);
  draft.timer = setTimeout(() => keep(draft), pause);
}

async function keep(draft) {
  const kind = keptSide(draft), side = draft[kind];
  const files = side.files.peek().filter((file) => file.id).map((file) => file.id);
  draft.revision = Math.max(Date.now(), draft.revision + 1);
  const words = { kind, text: side.text.peek(), html: null, revision: draft.revision, files };
  try {
    if (isEmpty(side)) await del(`/api/conversations/${draft.id}/draft`);
    else await put(`/api/conversations/${draft.id}/draft`, words);
    draft.dirty = draft.revision !== words.revision;
    change(draft.id, { draft: !isEmpty(side) });
    forgetHere(draft.id);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "newer_draft") draft.other.value = true;
    else if (error.isNetwork || error.status === 401) keepHere(draft.id, words);
  }
}

/** The words left: nothing is unsent on this side any more. The server drops its copy with the message. */
export function sent(draft, kind) {
  clearTimeout(draft.timer);
  draft[kind].text.value = "";
  draft[kind].files.value = [];
  draft.revision = Math.max(Date.now(), draft.revision + 1);
  draft.dirty = false;
  change(draft.id, { draft: !isEmpty(draft[keptSide(draft)]) });
  forgetHere(draft.id);
}

/** Keeps what is still dirty now, as the page is left. */
export function keepAll() {
  for (const draft of drafts.values()) if (draft.dirty) keep(draft);
}

// While the server is not reached, unsent words lie in this browser, until they are kept or somebody signs out.
function kept() {
  try {
    return JSON.parse(localStorage.getItem(NAME) || "{}");
  } catch {
    return {};
  }
}
function write(words) {
  try {
    if (Object.keys(words).length) localStorage.setItem(NAME, JSON.stringify(words));
    else localStorage.removeItem(NAME);
  } catch { /* they stay in memory */ }
}
const keepHere = (id, words) => write({ ...kept(), [id]: words });
function forgetHere(id) {
  const words = kept();
  if (!(id in words)) return;
  delete words[id];
  write(words);
}

export function startDrafts() {
  for (const [id, words] of Object.entries(kept())) {
    const draft = draftOf(id);
    draft.kind.value = words.kind;
    draft[words.kind].text.value = words.text;
    touched(draft, 2000);
  }
  offlineSince.subscribe((since) => {
    if (since === null) for (const draft of drafts.values()) if (draft.dirty) touched(draft, 300);
  });
  addEventListener("pagehide", keepAll);
}
