// @ts-check
// Where we are: view, whose turn, tag, order, and the open conversation; mirrored in the address.
import { computed, signal } from "@preact/signals";
import { told } from "./told.js";
import { viewOf } from "./views.js";

const asked = new URLSearchParams(location.search);

export const view = signal(told.boot.view);
export const status = signal(asked.get("status") ?? "todo");
export const tag = signal(asked.get("tag"));
export const sort = signal(asked.get("sort") ?? "newest");
/** What is searched for; null when nothing is. */
export const query = signal(asked.get("q"));
/** The id of the conversation that is read, or null. */
export const openId = signal(/** @type {string|null} */ (null));
/** On small screens one zone is seen at a time: views, list, conversation or customer. */
export const zone = signal(told.boot.open ? "conversation" : "list");

/** The list that is asked for; two equal ones have the same key. */
export const shown = computed(() => {
  const what = {
    view: view.value,
    status: viewOf(view.value).turns ? status.value : "todo",
    tag: tag.value,
    sort: sort.value,
    query: query.value,
  };
  return { ...what, key: query.value === null ? [what.view, what.status, what.tag, what.sort].join("|") : `?${query.value}` };
});

export function addressOf(number = null) {
  const words = new URLSearchParams();
  if (viewOf(view.value).turns && status.value !== "todo") words.set("status", status.value);
  if (tag.value) words.set("tag", tag.value);
  if (sort.value !== "newest") words.set("sort", sort.value);
  if (query.value) words.set("q", query.value);
  return `/inbox/${view.value}${number ? `/${number}` : ""}${words.size ? `?${words}` : ""}`;
}

/** Writes the address; `replace` leaves no step to go back to. */
export function write(number, replace = false) {
  const address = addressOf(number);
  if (address !== location.pathname + location.search) history[replace ? "replaceState" : "pushState"](null, "", address);
}
