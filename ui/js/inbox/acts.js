// @ts-check
// What staff do to a conversation: seen at once, sent behind it, taken back when the server refuses or somebody asks.
import { Refused, del, post, put } from "./api.js";
import { replace } from "./lists.js";
import { openNext } from "./open.js";
import { openId } from "./route.js";
import { change, keepRow, me, person, readRow, tagOf, tags, whileChanging } from "./store.js";
import { soon } from "./time.js";
import { drop, say, sayError } from "./toasts.js";
import { STATUS } from "./views.js";

const at = (id, what) => `/api/conversations/${id}/${what}`;

/** Changes a row here, asks the server, and keeps its word; puts all back when it refuses. */
async function perform(id, words, request, failed, again) {
  const back = change(id, words);
  replace([id], true);
  try {
    const told = await whileChanging(id, request);
    if (told?.row) keepRow(told.row);
    replace([id], openId.peek() !== id);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    back();
    replace([id], true);
    if (error.isNetwork || error.status >= 500) say(`${failed} and is back as it was. ${error.message}`, { icon: "alert", bad: true, again });
    else sayError(error, `${failed}. `);
    return false;
  }
}

/** Says what was done, with the way back; takes the words back when it was not done after all. */
function tell(done, text, icon, undo) {
  const toast = say(text, { icon, undo });
  done.then((well) => well || drop(toast));
}

const waits = (row, status) => (status === "todo" ? row.waiting_since ?? Date.now() : null);

/** Whose turn it is. Done leaves for the next conversation. */
export function setStatus(id, status, { quiet = false } = {}) {
  const row = readRow(id);
  if (!row || (row.status === status && !row.snoozed_until)) return;
  const before = { status: row.status, until: row.snoozed_until };
  if (status === "done") openNext(id);
  const done = perform(id, { status, snoozed_until: null, waiting_since: waits(row, status) }, () => put(at(id, "status"), { status }), "The status was not saved", () => setStatus(id, status));
  if (quiet) return;
  const undo = () => (before.until > Date.now() ? snooze(id, before.until, true) : setStatus(id, before.status, { quiet: true }));
  tell(done, status === "done" ? `#${row.number} is done` : `#${row.number} is ${STATUS[status].toLowerCase()}`, "check", undo);
}

/** Out of sight until a time; null wakes. */
export function snooze(id, until, quiet = false) {
  const row = readRow(id);
  if (!row) return;
  const before = row.snoozed_until;
  if (until) openNext(id);
  const done = perform(id, { snoozed_until: until }, () => put(at(id, "snooze"), { until }), "The snooze was not saved", () => snooze(id, until));
  if (!quiet) tell(done, until ? `#${row.number} comes back ${soon(until)}` : `#${row.number} is awake`, "snooze", () => snooze(id, before, true));
}

/** Who answers; null for nobody. */
export function assign(id, staffId, quiet = false) {
  const row = readRow(id);
  if (!row || row.assignee_id === staffId) return;
  const before = row.assignee_id;
  const done = perform(id, { assignee_id: staffId }, () => put(at(id, "assignment"), { staff_user_id: staffId }), "The assignment was not saved", () => assign(id, staffId));
  const whom = staffId === me.staff_user_id ? "yours" : staffId ? `with ${person(staffId).name}` : "with nobody";
  if (!quiet) tell(done, `#${row.number} is ${whom}`, "user", () => assign(id, before, true));
}

export function spam(id, on = !readRow(id)?.spam, quiet = false) {
  const row = readRow(id);
  if (!row || row.spam === on) return;
  openNext(id);
  const done = perform(id, { spam: on }, () => (on ? put(at(id, "spam"), {}) : del(at(id, "spam"))), "The mark was not saved", () => spam(id, on));
  if (!quiet) tell(done, on ? `#${row.number} is spam` : `#${row.number} is no spam`, "spam", () => spam(id, !on, true));
}

/** Puts a tag on, or takes it off. */
export function toggleTag(id, tagId) {
  const row = readRow(id);
  if (!row) return;
  const on = !row.tags.includes(tagId);
  const words = { tags: on ? [...row.tags, tagId] : row.tags.filter((one) => one !== tagId) };
  perform(id, words, () => (on ? put(at(id, `tags/${tagId}`), {}) : del(at(id, `tags/${tagId}`))), `The tag ${tagOf(tagId)?.name ?? ""} was not saved`, () => toggleTag(id, tagId));
}

/** Makes a tag and puts it on. */
export async function createTag(id, name) {
  try {
    const tag = await post("/api/tags", { name });
    if (!tagOf(tag.id)) tags.value = [...tags.value, tag];
    if (!readRow(id)?.tags.includes(tag.id)) toggleTag(id, tag.id);
  } catch (error) {
    sayError(/** @type {Error} */ (error), "The tag was not made. ");
  }
}

export function rename(id, subject) {
  const row = readRow(id);
  if (!row || !subject.trim() || subject === row.subject) return;
  perform(id, { subject }, () => put(at(id, "subject"), { subject }), "The subject was not saved", () => rename(id, subject));
}

/** Back to unread, for another moment. */
export function unread(id) {
  const row = readRow(id);
  if (!row) return;
  openNext(id);
  change(id, { unread: true, seen: 0 });
  put(at(id, "seen"), { position: 0 }).catch(() => {});
  say(`#${row.number} is unread`, { icon: "mail" });
}
