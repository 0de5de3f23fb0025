// @ts-check
// The views: what lies in each, its name, its picture and its key.
import { me } from "./store.js";

export const VIEWS = [
  { id: "todo", name: "To do", icon: "inbox", key: "g t", count: "todo" },
  { id: "mine", name: "Mine", icon: "user", key: "g m", count: "mine", turns: true },
  { id: "unassigned", name: "Unassigned", icon: "users", key: "g u", count: "unassigned", turns: true },
  { id: "waiting", name: "Waiting", icon: "clock", key: "g w", count: "waiting" },
  { id: "snoozed", name: "Snoozed", icon: "snooze", key: "g b", count: "snoozed" },
  { id: "done", name: "Done", icon: "done", key: "g d" },
  { id: "all", name: "Everything", icon: "rows", key: "g a" },
  { id: "spam", name: "Spam", icon: "spam", key: "g !", count: "spam" },
  { id: "held", name: "Held back", icon: "shield", key: "g h", count: "held" },
];

export const viewOf = (id) => VIEWS.find((view) => view.id === id) ?? VIEWS[0];
export const STATUS = { todo: "To do", waiting: "Waiting", done: "Done" };

/** Where a conversation lies. */
export const shelfOf = (row) => (row.spam ? "spam" : row.snoozed_until ? "snoozed" : row.status);

/** Whether a row lies in a view. */
export function belongs(row, { view, status, tag }) {
  if (tag && !row.tags.includes(tag)) return false;
  if (view === "all") return !row.spam;
  if (view === "mine") return row.assignee_id === me.staff_user_id && shelfOf(row) === status;
  if (view === "unassigned") return row.assignee_id === null && shelfOf(row) === status;
  return shelfOf(row) === view;
}

/** How many wait in a view, as it is written: exact up to 99. */
export const written = (count) => (count > 99 ? "99+" : String(count ?? ""));
