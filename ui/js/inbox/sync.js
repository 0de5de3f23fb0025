// @ts-check
// Catching up: everything after the feed number we know. A lost ring costs nothing.
import { batch } from "@preact/signals";
import { get, offlineSince, signedOut } from "./api.js";
import { applyRows, reload } from "./lists.js";
import { openId } from "./route.js";
import { counts, feed, staff, tags } from "./store.js";
import { isBehind, knownTalk, outdate, refresh } from "./talks.js";

const EVERY = 30_000;
const OFFLINE_EVERY = 4_000;

let underWay = /** @type {Promise<void>|null} */ (null);
let again = false;

/** Asks what changed; rings during the question lead to one more. */
export function sync() {
  if (signedOut.peek()) return Promise.resolve();
  if (underWay) {
    again = true;
    return underWay;
  }
  underWay = ask()
    .catch(() => {})
    .finally(() => {
      underWay = null;
      if (again) {
        again = false;
        sync();
      }
    });
  return underWay;
}

async function ask() {
  const told = await get(`/api/sync?after=${feed.peek()}`);
  batch(() => {
    feed.value = Math.max(feed.peek(), told.feed);
    counts.value = told.counts;
    if (told.tags) tags.value = told.tags;
  });
  if (told.staff_changed) refreshStaff();
  if (told.reset) await reload();
  else if (told.rows.length) {
    outdate(told.rows.map((row) => row.id));
    applyRows(told.rows);
  }
  await refreshOpen();
}

/** Somebody joined or left: the page tells who works here now. */
async function refreshStaff() {
  const page = await fetch("/inbox").then((answer) => answer.text());
  const boot = new DOMParser().parseFromString(page, "text/html").getElementById("boot");
  if (boot) staff.value = JSON.parse(boot.textContent ?? "{}").staff ?? staff.peek();
}

/** Brings the conversation on screen up to date. */
export function refreshOpen(force = false) {
  const talk = openId.peek() && knownTalk(openId.peek());
  if (talk && talk.state.peek() === "ready" && (force || isBehind(talk))) return refresh(talk);
}

/** A ring: these conversations changed under this feed number. The one on screen is asked for without a detour. */
export function heard({ feed: number, c: ids = [] }) {
  outdate(ids);
  if (ids.includes(openId.peek())) refreshOpen(true);
  if (number > feed.peek() || !number) sync();
}

export function startSync() {
  let asked = Date.now();
  setInterval(() => {
    const pause = offlineSince.peek() ? OFFLINE_EVERY : EVERY;
    if (Date.now() - asked < pause - 100) return;
    asked = Date.now();
    sync();
    if (!offlineSince.peek()) refreshOpen(true);
  }, OFFLINE_EVERY);
  addEventListener("online", () => sync());
  addEventListener("offline", () => (offlineSince.value ??= Date.now()));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && sync());
}
