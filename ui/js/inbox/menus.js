// @ts-check
// The menus of a conversation and of the list: who, until when, which tags, whose turn, and the rest.
import { assign, createTag, setStatus, snooze, spam, toggleTag, unread } from "./acts.js";
import { dialog } from "./dialogs.js";
import { Face, html } from "./html.js";
import { Menu } from "./menu.js";
import { menu } from "./menu_state.js";
import { changeList, goTo } from "./open.js";
import { flipDensity, flipTheme } from "./prefs.js";
import { openId, shown, sort, tag } from "./route.js";
import { sendNow } from "./composer_acts.js";
import { signOut } from "./sign_out.js";
import { proposals, readTime } from "./snooze_times.js";
import { may, me, readRow, rowOf, staff, tags } from "./store.js";
import { soon } from "./time.js";
import { told } from "./told.js";
import { EmojiMenu } from "./emoji.js";
import { STATUS, VIEWS, written } from "./views.js";
import { counts } from "./store.js";

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const fits = (name, text) => fold(name).includes(fold(text.trim())) || fold(name).split(/\s+/).some((word) => word.startsWith(fold(text.trim())));

function Assign({ anchor, id }) {
  const row = rowOf(id).value;
  const people = staff.value.filter((one) => one.active).sort((a, b) => Number(b.id === me.staff_user_id) - Number(a.id === me.staff_user_id));
  const items = (text) => {
    const found = people.filter((one) => fits(one.name, text)).map((one) => ({
      id: one.id, face: html`<${Face} name=${one.name} hue=${one.hue} photo=${one.photo} staff size="1.5rem" />`, name: one.name,
      hint: [one.id === me.staff_user_id ? "you" : "", one.id === row.assignee_id ? "has it" : ""].filter(Boolean).join(", "),
      key: one.id === me.staff_user_id ? "i" : undefined, run: () => assign(id, one.id),
    }));
    const nobody = fits("Nobody", text) ? [{ rule: true }, { id: "nobody", icon: "users", name: "Nobody", key: "0", run: () => assign(id, null) }] : [];
    return [...found, ...nobody];
  };
  return html`<${Menu} label="Assign to" field="A person" icon="user" anchor=${anchor} items=${items} />`;
}

function Snooze({ anchor, id }) {
  const row = rowOf(id).value;
  const items = (text) => {
    const asked = text && readTime(text);
    if (asked) return [{ id: "asked", name: "Until", hint: soon(asked), run: () => snooze(id, asked) }];
    const found = proposals().filter((one) => !text || fits(one.name, text)).map((one, i) => ({ id: one.name, name: one.name, hint: soon(one.until), key: String(i + 1), run: () => snooze(id, one.until) }));
    return row.snoozed_until && !text ? [...found, { rule: true }, { id: "wake", name: "Wake now", hint: `sleeps until ${soon(row.snoozed_until)}`, key: "0", run: () => snooze(id, null) }] : found;
  };
  return html`<${Menu} label="Snooze until" field="fri 9, in 3 days, 1 dec" icon="snooze" anchor=${anchor} items=${items} />`;
}

function Tags({ anchor, id }) {
  const row = rowOf(id).value;
  const items = (text) => {
    const name = text.trim();
    const found = tags.value.filter((one) => fits(one.name, text)).map((one) => ({
      id: one.id, name: one.name, node: html`<span class="chip" style=${`--h:${one.hue}`}>${one.name}</span>`, checked: row.tags.includes(one.id), keep: true, run: () => toggleTag(id, one.id),
    }));
    const is = tags.value.some((one) => fold(one.name) === fold(name));
    return name && !is ? [...found, ...(found.length ? [{ rule: true }] : []), { id: "make", name: `Make the tag “${name}”`, icon: "plus", key: "mod+enter", keep: true, run: () => createTag(id, name) }] : found;
  };
  return html`<${Menu} label="Tags" field="Find or make a tag" icon="tag" anchor=${anchor} items=${items} />`;
}

function Status({ anchor, id }) {
  const row = rowOf(id).value;
  const items = () => Object.entries(STATUS).map(([status, name], i) => ({
    id: status, name, icon: { todo: "inbox", waiting: "clock", done: "done" }[status], hint: { todo: "our turn", waiting: "theirs", done: "" }[status],
    key: status === "done" ? "e" : String(i + 1), checked: row.status === status && !row.snoozed_until, run: () => setStatus(id, status),
  }));
  return html`<${Menu} label="Whose turn" anchor=${anchor} items=${items} />`;
}

function More({ anchor, id, words }) {
  const row = rowOf(id).value;
  const items = () => [
    ...(may("arrange") ? [{ id: "rename", icon: "pen", name: "Change the subject", run: words.rename }] : []),
    { id: "unread", icon: "mail", name: "Mark as unread", key: "shift+u", run: () => unread(id) },
    { id: "link", icon: "link", name: "Copy its address", run: () => navigator.clipboard?.writeText(`${location.origin}/inbox/all/${row.number}`) },
    ...(may("arrange") ? [{ rule: true }, { id: "spam", icon: "spam", name: row.spam ? "Not spam" : "Spam", key: "!", run: () => spam(id) }] : []),
  ];
  return html`<${Menu} label="More" anchor=${anchor} items=${items} />`;
}

/** What a row can do without being opened: the same as its swipes. */
function RowMenu({ anchor, words: { id } }) {
  const row = readRow(id);
  const items = () => [
    { id: "done", icon: "check", name: row.status === "done" ? "Back to do" : "Done", run: () => setStatus(id, row.status === "done" ? "todo" : "done") },
    { id: "snooze", icon: "snooze", name: "Snooze", run: () => (menu.value = { kind: "snooze", anchor, words: { id } }) },
    { id: "assign", icon: "user", name: "Assign", run: () => (menu.value = { kind: "assign", anchor, words: { id } }) },
    { id: "tags", icon: "tag", name: "Tags", run: () => (menu.value = { kind: "tags", anchor, words: { id } }) },
    { rule: true },
    { id: "spam", icon: "spam", name: row.spam ? "Not spam" : "Spam", run: () => spam(id) },
  ];
  return html`<${Menu} label=${`Conversation ${row.number}`} anchor=${anchor} items=${items} />`;
}

const Sort = ({ anchor }) => html`<${Menu} label="Order" anchor=${anchor} items=${() => [
  { id: "newest", name: "Newest first", checked: sort.value === "newest", run: () => changeList({ sort: "newest" }) },
  { id: "longest", name: "Longest waiting first", checked: sort.value === "longest", run: () => changeList({ sort: "longest" }) },
]} />`;

function Filter({ anchor }) {
  const items = (text) => {
    const found = tags.value.filter((one) => fits(one.name, text)).map((one) => ({
      id: one.id, name: one.name, node: html`<span class="chip" style=${`--h:${one.hue}`}>${one.name}</span>`, checked: tag.value === one.id, run: () => changeList({ tag: tag.value === one.id ? null : one.id }),
    }));
    return tag.value && !text ? [...found, { rule: true }, { id: "none", icon: "x", name: "Without a filter", run: () => changeList({ tag: null }) }] : found;
  };
  return html`<${Menu} label="Only with the tag" field="A tag" icon="filter" anchor=${anchor} items=${items} />`;
}

const Sending = ({ anchor }) => html`<${Menu} label="Ways to send" anchor=${anchor} items=${() => [
  { id: "waiting", icon: "send", name: "Send", hint: "then it waits for them", key: "mod+enter", run: () => sendNow() },
  { id: "done", icon: "check", name: "Send and mark done", key: "mod+shift+enter", run: () => sendNow("done") },
]} />`;

const House = ({ anchor }) => html`<${Menu} label="ChatInbox" anchor=${anchor} items=${() => [
  { id: "settings", icon: "gear", name: "Settings", key: "g s", run: () => location.assign("/settings") },
  ...(told.boot.elsewhere ? [{ id: "accounts", icon: "building", name: "Another account", run: () => location.assign("/settings/accounts") }] : []),
  { id: "keys", icon: "key", name: "Keys", key: "?", run: () => (dialog.value = { kind: "keys" }) },
  { rule: true },
  { id: "theme", icon: "moon", name: "Dark or light", run: flipTheme },
  { id: "density", icon: "rows", name: "Row density", run: flipDensity },
  { rule: true },
  { id: "out", icon: "back", name: "Sign out", run: signOut },
]} />`;

const Where = ({ anchor }) => html`<${Menu} label="Views" anchor=${anchor} items=${() => VIEWS.map((one) => ({
  id: one.id, icon: one.icon, name: one.name, hint: one.count && counts.value[one.count] ? written(counts.value[one.count]) : "", checked: shown.value.view === one.id, run: () => goTo(one.id),
}))} />`;

const MENUS = { assign: Assign, snooze: Snooze, tags: Tags, status: Status, more: More, row: RowMenu, sort: Sort, filter: Filter, sending: Sending, house: House, where: Where, emoji: EmojiMenu };

/** The open menu, if any. */
export function Menus() {
  const open = menu.value;
  if (!open) return null;
  const words = open.words ?? {};
  return html`<${MENUS[open.kind]} key=${open.kind} anchor=${open.anchor} id=${words.id ?? openId.value} words=${words} />`;
}
