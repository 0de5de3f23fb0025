// @ts-check
// Going somewhere: to a view, a conversation, the next one. The next ones are fetched before they are asked for.
import { batch } from "@preact/signals";
import { put } from "./api.js";
import { current, leave, load, neighbour } from "./lists.js";
import { openId, query, shown, sort, status, tag, view, write, zone } from "./route.js";
import { change, keepRow, readRow, rowByNumber } from "./store.js";
import { told } from "./told.js";
import { afterPaint } from "./paint.js";
import { isBehind, lastPosition, prefetch, refresh, talkOf } from "./talks.js";

export const isPhone = () => matchMedia("(width < 48rem)").matches;

/** Opens a conversation. `event` is the key or click that asked, so that the time to the screen can be measured. */
export function open(id, { event = undefined, replace = openId.peek() !== null } = {}) {
  const row = readRow(id);
  if (!row) return;
  performance.mark("open-conversation:asked", { startTime: event?.timeStamp ?? performance.now() });
  const before = openId.peek();
  const talk = talkOf(id);
  batch(() => {
    if (before !== id) talk.seenAtOpen.value = row.unread ? row.seen : row.position;
    openId.value = id;
    zone.value = "conversation";
  });
  if (talk.state.peek() === "new") refresh(talk);
  afterPaint(() => {
    if (before && before !== id) leave(before);
    if (openId.peek() !== id) return;
    if (talk.state.peek() !== "ready" || isBehind(talk)) refresh(talk);
    write(row.number, replace);
    setTimeout(() => openId.peek() === id && [1, -1, 2].forEach((step) => prefetch(neighbour(id, step))), 30);
  });
}

/** Back to the list. */
export function close() {
  const before = openId.peek();
  batch(() => {
    openId.value = null;
    zone.value = "list";
  });
  leave(before);
  write(null);
  document.querySelector(`.list .row[data-id="${before}"]`)?.["focus"]();
}

/** The next or previous conversation of the list. */
export function step(by, event) {
  const to = neighbour(openId.peek(), by);
  if (!to || to === openId.peek()) return;
  const isOnRow = Boolean(document.activeElement?.closest(".list .row"));
  open(to, { event });
  // Who stands on a row walks along, so that Enter means what is open.
  if (isOnRow) document.querySelector(`.list .row[data-id="${to}"]`)?.["focus"]({ preventScroll: true });
}

/** After something left the list: its neighbour, on a phone the list. */
export function openNext(id) {
  if (openId.peek() !== id) return;
  const next = neighbour(id, 1) ?? neighbour(id, -1);
  if (next && next !== id && !isPhone()) open(next);
  else close();
}

/** Goes to a view. */
export function goTo(to, words = {}) {
  const before = openId.peek();
  batch(() => {
    view.value = to;
    status.value = words.status ?? "todo";
    tag.value = words.tag ?? null;
    query.value = words.query ?? null;
    if (words.sort) sort.value = words.sort;
    openId.value = null;
    zone.value = "list";
  });
  leave(before);
  arrive();
  write(null, words.replace);
}

/** Loads what a view needs; what is already known is shown meanwhile. */
export function arrive() {
  const list = current.peek();
  if (list.state.peek() === "new" || list.state.peek() === "error") load(list);
  setTimeout(() => list.ids.peek().slice(0, 3).forEach((id) => openId.peek() || prefetch(id)), 200);
}

/** Shows another order or turn of the same view. */
export function changeList(words) {
  batch(() => {
    if ("status" in words) status.value = words.status;
    if ("sort" in words) sort.value = words.sort;
    if ("tag" in words) tag.value = words.tag;
  });
  arrive();
  write(openId.peek() ? readRow(openId.peek())?.number : null, true);
}

/** Opens a conversation by its number: here when we know it, else by its address. */
export function openNumber(number) {
  const row = rowByNumber(number);
  if (row) open(row.id);
  else location.assign(`/inbox/all/${number}`);
}

/** What is on screen was seen by somebody: note how far, and tell the server. */
export function markSeen(talk, position = lastPosition(talk)) {
  talk.seen = Math.max(talk.seen, position);
  const row = readRow(talk.id);
  if (!row || (row.seen >= position && !row.unread)) return;
  change(talk.id, { seen: position, unread: false });
  put(`/api/conversations/${talk.id}/seen`, { position }).catch(() => {});
}

function readAddress() {
  const [, , to = "todo", number] = location.pathname.split("/");
  const words = new URLSearchParams(location.search);
  const before = openId.peek();
  batch(() => {
    view.value = to;
    status.value = words.get("status") ?? "todo";
    tag.value = words.get("tag");
    sort.value = words.get("sort") ?? "newest";
    query.value = words.get("q");
    if (!number) {
      openId.value = null;
      zone.value = "list";
    }
  });
  leave(before);
  arrive();
  if (number) openNumber(Number(number));
}

export function startRoute() {
  addEventListener("popstate", readAddress);
  if (told.boot.open) {
    keepRow(told.boot.open);
    open(told.boot.open.id, { replace: true });
  }
  void shown.value;
  arrive();
}
