// @ts-check
// Conversations as they are read: entries, what is unsent, whose they are. A few dozen are kept, the oldest go.
import { batch, signal } from "@preact/signals";
import { get } from "./api.js";
import { takeDraft } from "./drafts.js";
import { applyRows } from "./lists.js";
import { noteHere } from "./presence.js";
import { readRow } from "./store.js";

const KEPT = 60;
/** @type {Map<string, ReturnType<typeof make>>} */
const talks = new Map();

function make(id) {
  return {
    id,
    entries: signal(/** @type {any[]} */ ([])),
    more: signal(false),
    customer: signal(/** @type {any} */ (null)),
    state: signal("new"),
    error: signal(/** @type {any} */ (null)),
    /** Where New begins: the last position seen when it was opened. */
    seenAtOpen: signal(0),
    /** The last position that was on screen in front of somebody. */
    seen: 0,
    stale: false,
    underWay: /** @type {Promise<void>|null} */ (null),
  };
}

export function talkOf(id) {
  let talk = talks.get(id);
  if (talk) talks.delete(id);
  else talk = make(id);
  talks.set(id, talk);
  if (talks.size > KEPT) talks.delete(talks.keys().next().value);
  return talk;
}

export const knownTalk = (id) => talks.get(id);
export const lastPosition = (talk) => talk.entries.peek().at(-1)?.position ?? 0;

/** Adds entries, newer words for the same id winning, in order of position. */
export function mergeEntries(talk, entries) {
  if (!entries.length) return;
  const byId = new Map(talk.entries.peek().map((entry) => [entry.id, entry]));
  const later = lastPosition(talk);
  const customer = talk.customer.peek();
  const added = entries.filter((entry) => entry.kind === "message" && entry.position > later && !byId.has(entry.id));
  if (customer && talk.state.peek() === "ready" && added.length) {
    const held = { messages: customer.held.messages + added.length, files: customer.held.files + added.reduce((sum, entry) => sum + entry.files.length, 0) };
    talk.customer.value = { ...customer, held };
  }
  for (const entry of entries) byId.set(entry.id, entry);
  talk.entries.value = [...byId.values()].sort((a, b) => a.position - b.position);
}

function applyStates(talk, states) {
  if (!states || !Object.keys(states).length) return;
  let changed = false;
  const entries = talk.entries.peek().map((entry) => {
    const state = states[entry.id];
    if (!state || (entry.state?.is === state.is && entry.state?.reason === state.reason)) return entry;
    changed = true;
    return { ...entry, state };
  });
  if (changed) talk.entries.value = entries;
}

function takeOver(talk, answer) {
  batch(() => {
    applyRows([answer.row]);
    mergeEntries(talk, answer.entries);
    applyStates(talk, answer.states);
    noteHere({ conversation_id: talk.id, people: answer.here, visitor: answer.visitor });
    if (answer.customer) talk.customer.value = answer.customer;
  });
}

async function first(talk, ahead) {
  talk.state.value = "loading";
  const answer = await get(`/api/conversations/${talk.id}${ahead ? "?ahead=1" : ""}`);
  batch(() => {
    takeOver(talk, answer);
    talk.more.value = answer.more_before;
    takeDraft(talk.id, answer.draft);
    talk.state.value = "ready";
    talk.error.value = null;
  });
}

async function newer(talk, ahead) {
  talk.stale = false;
  takeOver(talk, await get(`/api/conversations/${talk.id}?after=${Math.max(1, lastPosition(talk))}${ahead ? "&ahead=1" : ""}`));
}

/** Reads a conversation, or what came after the part we hold. One question at a time. `ahead`: nobody looks at it yet. */
export function refresh(talk, ahead = false) {
  talk.underWay ??= (async () => {
    try {
      await (talk.state.peek() === "ready" ? newer(talk, ahead) : first(talk, ahead));
    } catch (error) {
      talk.stale = true;
      if (talk.state.peek() === "ready") return;
      talk.error.value = error;
      talk.state.value = /** @type {any} */ (error).status === 404 ? "gone" : "error";
    } finally {
      talk.underWay = null;
    }
  })();
  return talk.underWay;
}

/** Reads what stands before the part we hold. */
export async function earlier(talk) {
  const before = talk.entries.peek()[0]?.position;
  if (!before || talk.earlier) return;
  talk.earlier = true;
  try {
    const answer = await get(`/api/conversations/${talk.id}?before=${before}`);
    batch(() => {
      mergeEntries(talk, answer.entries);
      talk.more.value = answer.more_before;
    });
  } finally {
    talk.earlier = false;
  }
}

/** Reads a conversation before it is asked for. */
export function prefetch(id) {
  if (!id) return;
  const talk = talks.get(id) ?? talkOf(id);
  if (talk.state.peek() === "new" || talk.stale) refresh(talk, true);
}

/** The feed says that these changed: what is held of them is older now. */
export function outdate(ids) {
  for (const id of ids) {
    const talk = talks.get(id);
    if (talk && talk.state.peek() === "ready") talk.stale = true;
  }
}

/** Whether a row tells of words that we do not hold. */
export const isBehind = (talk) => talk.stale || (readRow(talk.id)?.position ?? 0) > lastPosition(talk);
