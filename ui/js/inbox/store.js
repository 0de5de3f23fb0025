// @ts-check
// What this browser knows: who we are, every conversation's row, the counts. In memory only.
import { signal } from "@preact/signals";
import { told } from "./told.js";

const { boot } = told;

export const me = boot.me;
/** Whether my role lets me do this; the server asks again each time. */
export const may = (what) => me.permissions.includes(what);
export const account = boot.account;
export const filesOrigin = boot.files_origin;
export const channels = boot.channels;
export const staff = signal(boot.staff);
export const tags = signal(boot.tags);
export const counts = signal(boot.counts);
export const feed = signal(boot.feed);

/** @type {Map<string, import("@preact/signals").Signal<any>>} */
const rows = new Map();
/** Conversations that are being changed from here: what the feed says of them waits for the answer. */
const changing = new Map();
const waiting = new Map();

export const rowOf = (id) => rows.get(id);
export const readRow = (id) => rows.get(id)?.value;
export const rowByNumber = (number) => [...rows.values()].find((row) => row.value.number === number)?.value;

/** Takes a row over unless we know a newer one. */
export function keepRow(row) {
  const known = rows.get(row.id);
  if (!known) rows.set(row.id, signal(row));
  else if (changing.has(row.id)) waiting.set(row.id, row);
  else if (row.feed >= known.value.feed) known.value = row;
}

/** Changes a row here at once; the returned function puts the old words back. */
export function change(id, words) {
  const row = rows.get(id);
  if (!row) return () => {};
  const before = Object.fromEntries(Object.keys(words).map((key) => [key, row.value[key]]));
  row.value = { ...row.value, ...words };
  return () => (row.value = { ...row.value, ...before });
}

/** Holds the feed's word on a conversation back while `work` runs. */
export async function whileChanging(id, work) {
  changing.set(id, (changing.get(id) ?? 0) + 1);
  try {
    return await work();
  } finally {
    const left = changing.get(id) - 1;
    if (left) changing.set(id, left);
    else {
      changing.delete(id);
      if (waiting.has(id)) keepRow(waiting.get(id));
      waiting.delete(id);
    }
  }
}

export const NOBODY = { id: null, name: "Former colleague", hue: 265, active: false };
export const person = (id) => staff.value.find((one) => one.id === id) ?? NOBODY;
/** What the writer of an entry is called; who left has a number for a name. */
export const authorOf = (entry) => person(entry.author_id).name;
export const tagOf = (id) => tags.value.find((tag) => tag.id === id);
export const tagsOf = (row) => row.tags.map(tagOf).filter(Boolean);

/** The first word of a name, to speak of somebody. */
export const firstName = (name) => (/^(Visitor|The|Team|Dr\.?|Mrs?\.?|Ms\.?) |@|[぀-ヿ㐀-鿿가-힯]/.test(name) ? name : (name.split(/\s+/)[0] || name));

/** A conversation's title: its subject; a chat has none and is called after its customer. */
export const titleOf = (row) => row.subject || `${row.via === "chat" ? "Chat with" : "Letter from"} ${row.customer.name}`;
