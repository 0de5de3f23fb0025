// @ts-check
// Answers and notes on their way: shown at once, safe to send again, held when something new was not yet seen.
import { batch, computed, signal } from "@preact/signals";
import { Refused, offlineSince, post } from "./api.js";
import { draftOf, sent, touched } from "./drafts.js";
import { newId } from "./ids.js";
import { replace } from "./lists.js";
import { toHtml, toPlain } from "./markup.js";
import { iStop } from "./presence.js";
import { change, keepRow, me, readRow, whileChanging } from "./store.js";
import { sync } from "./sync.js";
import { knownTalk, mergeEntries, talkOf } from "./talks.js";

const NAME = `chatinbox-outbox-${me.staff_user_id}`;
export const outbox = signal(/** @type {any[]} */ ([]));

/** How many answers and notes wait for the network. */
export const waitingCount = computed(() => ({
  replies: outbox.value.filter((item) => item.state === "waiting" && item.kind === "reply").length,
  notes: outbox.value.filter((item) => item.state === "waiting" && item.kind === "note").length,
}));

export const outboxOf = (id) => outbox.value.filter((item) => item.conversation === id);

function update(id, words) {
  outbox.value = outbox.value.map((item) => (item.id === id ? { ...item, ...words } : item));
  keepHere();
}
export function dropItem(id) {
  outbox.value = outbox.value.filter((item) => item.id !== id);
  keepHere();
}

/** Sends what is written in a conversation's composer. `then`: "waiting" or "done". */
export function send(conversation, kind, then = "waiting") {
  const draft = draftOf(conversation), side = draft[kind];
  const typed = side.text.peek();
  if (!typed.trim() && !side.files.peek().length) return null;
  const item = {
    id: newId(), conversation, kind, then, typed,
    text: toPlain(typed) || typed.trim(), html: toHtml(typed),
    files: side.files.peek().filter((file) => file.id),
    seen: talkOf(conversation).seen, anyway: false, at: Date.now(), state: "sending", error: null,
  };
  batch(() => {
    outbox.value = [...outbox.value, item];
    sent(draft, kind);
  });
  iStop();
  deliver(item);
  return item;
}

/** How to show a conversation as it was, while its answer is not there yet. */
const backs = new Map();

function unanswered(item) {
  backs.get(item.id)?.();
  backs.delete(item.id);
  replace([item.conversation], true);
}

/** The conversation as it will be when the answer has arrived. */
function showAnswered(item) {
  const row = readRow(item.conversation);
  if (!row) return;
  const back = change(item.conversation, {
    status: item.then, snoozed_until: null, waiting_since: null, preview: item.text.slice(0, 140), preview_by: "staff",
    last_at: item.at, failed: false, assignee_id: row.assignee_id ?? me.staff_user_id, unread: false,
  });
  backs.set(item.id, back);
  replace([item.conversation], true);
}

/** Tries to send one; what it meets is shown beside the words. */
async function deliver(item) {
  update(item.id, { state: "sending", error: null });
  if (item.kind === "reply" && !backs.has(item.id)) showAnswered(item);
  const path = `/api/conversations/${item.conversation}/${item.kind === "note" ? "notes" : "messages"}`;
  const words = { id: item.id, text: item.text, html: item.html, files: item.files.map((file) => file.id) };
  try {
    const told = await whileChanging(item.conversation, () =>
      post(path, item.kind === "note" ? words : { ...words, seen: item.seen, send_anyway: item.anyway, knowingly: draftOf(item.conversation).knowingly.peek(), then: item.then === "done" ? "done" : "waiting" }),
    );
    arrived(item, told.entry);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    failed(item, error);
  }
  sync();
}

function arrived(item, entry) {
  const talk = talkOf(item.conversation);
  backs.delete(item.id);
  batch(() => {
    if (entry && talk.state.peek() === "ready") mergeEntries(talk, [entry]);
    if (entry) talk.seen = Math.max(talk.seen, entry.position);
    dropItem(item.id);
    replace([item.conversation]);
  });
}

function failed(item, error) {
  if (error.code === "held") {
    const entries = error.details.entries ?? [];
    const talk = knownTalk(item.conversation);
    if (talk) mergeEntries(talk, entries);
    unanswered(item);
    if (error.details.row) keepRow(error.details.row);
    update(item.id, { state: "held", entries: entries.filter((entry) => entry.kind === "message" && entry.author_id !== me.staff_user_id) });
  } else if (error.isNetwork && error.code === "network") update(item.id, { state: "waiting" });
  else {
    unanswered(item);
    update(item.id, { state: "failed", error: error.message });
  }
}

/** Sends again: the same id, so that it arrives once. */
export const retry = (item) => deliver(item);

/** Sends a held answer although something new arrived. */
export function sendAnyway(item) {
  deliver({ ...item, anyway: true });
}

/** Puts the words back into the composer. */
export function takeBack(item, kind = item.kind) {
  const draft = draftOf(item.conversation);
  batch(() => {
    dropItem(item.id);
    draft.kind.value = kind;
    const side = draft[kind];
    side.text.value = side.text.peek() ? `${item.typed}\n\n${side.text.peek()}` : item.typed;
    side.files.value = [...item.files.map((file) => ({ ...file, key: file.id, progress: 1 })), ...side.files.peek()];
  });
  const talk = knownTalk(item.conversation);
  if (talk) talk.seen = Math.max(talk.seen, ...(item.entries ?? []).map((entry) => entry.position));
  touched(draft);
  sync();
}

// What waits for the network outlives a reload, until it is sent or somebody signs out.
function keepHere() {
  const items = outbox.peek().filter((item) => item.state === "waiting");
  try {
    if (items.length) localStorage.setItem(NAME, JSON.stringify(items));
    else localStorage.removeItem(NAME);
  } catch { /* in memory then */ }
}

export function startOutbox() {
  try {
    outbox.value = JSON.parse(localStorage.getItem(NAME) || "[]");
  } catch { /* nothing waits */ }
  let running = false;
  const drain = async () => {
    if (running || offlineSince.peek() !== null) return;
    running = true;
    for (const item of outbox.peek().filter((one) => one.state === "waiting")) await deliver(item);
    running = false;
  };
  offlineSince.subscribe((since) => since === null && setTimeout(drain, 200));
}
