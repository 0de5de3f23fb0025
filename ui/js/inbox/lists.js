// @ts-check
// Lists: which conversations lie in a view, in which order, and what newly came in while one of them is looked at.
import { batch, computed, signal } from "@preact/signals";
import { get } from "./api.js";
import { openId, query, shown } from "./route.js";
import { keepRow, readRow } from "./store.js";
import { told } from "./told.js";
import { belongs } from "./views.js";

/** @typedef {{what: any, ids: any, next: any, state: any, error: any, wanted: string[]}} List */
/** @type {Map<string, List>} */
const lists = new Map();

function make(what) {
  return { what, ids: signal([]), next: signal(null), state: signal("new"), error: signal(null), wanted: [] };
}

/** The list that is on screen. */
export const current = computed(() => {
  const what = shown.value;
  let list = lists.get(what.key);
  if (!list) lists.set(what.key, (list = make(what)));
  return list;
});

const longest = (what) => what.sort === "longest" && ["todo", "mine", "unassigned"].includes(what.view);

/** Order within a list: newest first, or who has waited longest. */
function compare(what, a, b) {
  if (longest(what)) return a.waiting_since - b.waiting_since || (a.id < b.id ? -1 : 1);
  return b.last_at - a.last_at || (a.id < b.id ? 1 : -1);
}

const fits = (list, row) =>
  row && list.what.query === null && belongs(row, list.what) && (!longest(list.what) || row.waiting_since !== null);

/** Puts a row where it belongs, or takes it out. Beyond the last page that was read nothing is added. */
function place(list, row) {
  const ids = list.wanted.filter((id) => id !== row.id);
  if (fits(list, row)) {
    let at = ids.findIndex((id) => compare(list.what, row, readRow(id)) < 0);
    if (at < 0) at = ids.length;
    if (at < ids.length || !list.next.value) ids.splice(at, 0, row.id);
  } else if (row.id === openId.value && list === current.value) {
    const at = list.wanted.indexOf(row.id); // what is read stays until it is left
    if (at >= 0) ids.splice(at, 0, row.id);
  }
  list.wanted = ids;
}

/** While a pointer rests on the list nothing moves under it. */
let busyUntil = 0;
export const newAbove = signal(0);

export function touchList(millis = 1200) {
  busyUntil = Date.now() + millis;
}

/** Shows what is wanted, at once or when the pointer rests no more. */
export function settle(list = current.value, force = false) {
  const same = list.ids.value.length === list.wanted.length && list.ids.value.every((id, i) => id === list.wanted[i]);
  if (same) return (newAbove.value = 0);
  const wait = busyUntil - Date.now();
  if (list === current.value && wait > 0 && !force) {
    newAbove.value = list.wanted.filter((id, i) => list.ids.value.indexOf(id) !== i && (list.ids.value.indexOf(id) < 0 || list.ids.value.indexOf(id) > i)).length;
    setTimeout(() => settle(list), wait + 20);
    return;
  }
  batch(() => {
    list.ids.value = list.wanted;
    newAbove.value = 0;
  });
}

/** Takes changed rows over, into every list we hold. */
export function applyRows(rows, force = false) {
  batch(() => rows.forEach(keepRow));
  replace(rows.map((row) => row.id), force);
}

/** Puts conversations that changed where they now belong. */
export function replace(ids, force = false) {
  for (const list of lists.values()) {
    if (list.state.peek() === "new" || list.what.query !== null) continue;
    for (const id of ids) place(list, readRow(id));
    settle(list, force);
  }
}

/** What was read is left: a row that stayed only for that goes. */
export function leave(id) {
  if (id && readRow(id)) replace([id], true);
}

function pathOf(what, after) {
  const words = new URLSearchParams(what.query === null ? { view: what.view, status: what.status, sort: what.sort } : { q: what.query });
  if (what.tag) words.set("tag", what.tag);
  if (after) words.set("after", after);
  return `/api/${what.query === null ? "list" : "search"}?${words}`;
}

function take(list, page, after) {
  batch(() => {
    for (const row of page.rows) {
      keepRow(row);
      if (row.hit) hits.set(row.id, row.hit);
    }
    const ids = page.rows.map((row) => row.id);
    list.wanted = after ? [...new Set([...list.wanted, ...ids])] : ids;
    list.ids.value = list.wanted;
    list.next.value = page.next;
    list.state.value = "ready";
    list.error.value = null;
  });
}

/** Where searched words stand, by conversation. */
export const hits = new Map();

/** Reads a list's first page, or the one after the last. */
export async function load(list = current.value, more = false) {
  if (list.what.view === "held" && list.what.query === null) return;
  const after = more ? list.next.peek() : null;
  if (list.state.peek() === "loading" || (more && !after)) return;
  if (list.what.query === "") return take(list, { rows: [], next: null }, null);
  list.state.value = "loading";
  try {
    take(list, await get(pathOf(list.what, after)), after);
  } catch (error) {
    list.error.value = error;
    list.state.value = list.ids.peek().length ? "ready" : "error";
  }
}

/** Reads every list anew: too much happened while we were away. */
export function reload() {
  for (const [key, list] of lists) if (list !== current.value) lists.delete(key);
  return load(current.value);
}

/** The neighbour of a conversation in the list on screen. */
export function neighbour(id, step) {
  const ids = current.value.ids.value;
  const at = ids.indexOf(id);
  return at < 0 ? ids[0] : ids[at + step];
}

// The first page came with the shell.
if (query.peek() === null && shown.peek().view === told.boot.view && shown.peek().key === [told.boot.view, "todo", "", "newest"].join("|")) {
  if (told.boot.view !== "held") take(current.peek(), told.boot.list, null);
} else {
  told.boot.list.rows.forEach(keepRow);
}
