// @ts-check
// What happened to a conversation, as one quiet sentence.
import { Icon, html } from "./html.js";
import { me, person, tagOf } from "./store.js";
import { clock, full, soon } from "./time.js";
import { STATUS } from "./views.js";

const ICONS = { assigned: "user", unassigned: "users", status: "done", tagged: "tag", untagged: "tag", snoozed: "snooze", unsnoozed: "snooze", spam: "spam", not_spam: "spam", renamed: "pen", left_out: "shield", started: "chat" };

const who = (id) => html`<b>${id === me.staff_user_id ? "You" : person(id).name}</b>`;
const tag = (id) => html`<b>${tagOf(id)?.name ?? "a tag"}</b>`;

function sentence({ what, staff_user_id: by, subject_id: subject, data }) {
  const someone = by ? who(by) : null;
  switch (what) {
    case "assigned":
      return subject === by ? html`${someone} took this` : html`${someone ?? "A rule"} assigned <b>${subject === me.staff_user_id ? "you" : person(subject).name}</b>`;
    case "unassigned":
      return html`${someone ?? "A rule"} gave this to nobody`;
    case "status":
      return html`${someone ?? html`<b>ChatInbox</b>`} set it to <b>${STATUS[data?.status] ?? data?.status}</b>`;
    case "tagged":
      return html`${someone ?? "A rule"} added ${tag(subject)}`;
    case "untagged":
      return html`${someone ?? "A rule"} took off ${tag(subject)}`;
    case "snoozed":
      return html`${someone} snoozed it until <b>${soon(data?.until, 0)}</b>`;
    case "unsnoozed":
      return someone ? html`${someone} woke it` : html`It came back from snooze. Status is <b>To do</b>`;
    case "spam":
      return html`${someone} marked it as spam`;
    case "not_spam":
      return html`${someone} said it is no spam`;
    case "renamed":
      return html`${someone} changed the subject`;
    case "left_out":
      return html`${data.count === 1 ? "A file was" : `${data.count} files were`} left out: this channel takes none`;
    default:
      return null;
  }
}

export function Happening({ entry }) {
  const words = sentence(entry);
  if (!words) return null;
  return html`<div class="event" data-what=${entry.what}><${Icon} is=${ICONS[entry.what] ?? "done"} small /><span>${words}</span><time datetime=${new Date(entry.at).toISOString()} title=${full(entry.at)}>${clock(entry.at)}</time></div>`;
}
