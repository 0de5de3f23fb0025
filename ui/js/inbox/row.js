// @ts-check
// A row of the list. It redraws alone when its own conversation changes.
import { useComputed } from "@preact/signals";
import { setStatus } from "./acts.js";
import { Chip, Face, Icon, WAY, html } from "./html.js";
import { hits } from "./lists.js";
import { openMenu } from "./menu_state.js";
import { open } from "./open.js";
import { hereAt } from "./presence.js";
import { addressOf, openId, query, shown } from "./route.js";
import { may, me, person, rowOf, tagsOf } from "./store.js";
import { ago, full, length, now, soon } from "./time.js";
import { startSwipe } from "./swipe.js";
import { scriptOf } from "./rich.js";
import { highlighted } from "./highlight.js";

const MINUTE = 60_000;
const PATIENCE = { chat: [10 * MINUTE, 60 * MINUTE], email: [4 * 60 * MINUTE, 24 * 60 * MINUTE] };

/** How long they have waited, when that differs from the time of the last message. */
function Wait({ row }) {
  if (row.snoozed_until) return html`<span class="wait"><${Icon} is="snooze" small />${soon(row.snoozed_until)}</span>`;
  if (row.status !== "todo" || !row.waiting_since || row.last_at - row.waiting_since < MINUTE) return null;
  const waited = now.value - row.waiting_since;
  const [early, late] = PATIENCE[row.via] ?? PATIENCE.email;
  return html`<span class=${`wait ${waited > late ? "late" : waited > early ? "soon" : ""}`} title="Waiting since ${full(row.waiting_since)}"><${Icon} is="clock" small />${length(waited)}</span>`;
}

function Mark({ row, here }) {
  if (here.visitor.typing) return html`<b class="small live">writing…</b>`;
  if (row.failed) return html`<b class="small late">Not delivered</b>`;
  if (row.draft) return html`<b class="small soon">Draft</b>`;
  if (row.restricted) return html`<b class="small muted">Set aside</b>`;
  return null;
}

const Looking = ({ here }) => here.people.slice(0, 2).map((one) => {
  const who = person(one.staff_user_id);
  return html`<${Face} key=${one.staff_user_id} name=${who.name} hue=${who.hue} photo=${who.photo} staff size="1.125rem" label=${`${who.name} ${one.typing ? "is writing" : "is looking"}`} />`;
});

function Assignee({ row }) {
  if (!row.assignee_id || row.assignee_id === me.staff_user_id || shown.value.view === "mine") return null;
  const who = person(row.assignee_id);
  return html`<${Face} name=${who.name} hue=${who.hue} photo=${who.photo} staff size="1.125rem" label=${`with ${who.name}`} />`;
}

/** What the third line adds to the second: a chat's title is its first words. */
function after(subject, preview) {
  if (!subject || !preview) return preview;
  const title = subject.replace(/(…|\.\.\.)$/, "");
  return preview.startsWith(title) ? preview.slice(title.length).trimStart() : preview;
}

export function Row({ id, size, at }) {
  const row = rowOf(id)?.value;
  if (!row) return null;
  const here = hereAt(id).value;
  const isOpen = useComputed(() => openId.value === id).value;
  const tags = tagsOf(row);
  const hit = query.value !== null && hits.get(id);
  const by = hit ? null : { staff: html`<${Icon} is="reply" small flip tone="by" />`, note: html`<${Icon} is="lock" small tone="by by--note" />` }[row.preview_by];
  const said = hit?.excerpt ?? after(row.subject, row.preview);
  const follow = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open(id, { event });
  };
  const words = hit ? highlighted(said) : said || html`<span class="faint">#${row.number}</span>`;
  const marks = html`<${Looking} here=${here} /><${Assignee} row=${row} />${tags[0] && html`<${Chip} tag=${tags[0]} />`}`;
  return html`<li aria-setsize=${size} aria-posinset=${at + 1}><a class="row" href=${addressOf(row.number)} data-id=${id} data-unread=${row.unread || undefined} aria-current=${isOpen ? "true" : undefined}
      onClick=${follow} onPointerDown=${(event) => may("arrange") && startSwipe(event, { done: () => setStatus(id, row.status === "done" ? "todo" : "done"), snooze: () => openMenu("snooze", null, { id }) })}
      onContextMenu=${(event) => may("arrange") && (event.preventDefault(), openMenu("row", event.currentTarget, { id }))}>
    <${Icon} is=${WAY[row.via] ?? "chat"} />
    <span>${row.unread && html`<span class="unseen">Unread. </span>`}<span class="name cut" dir="auto">${row.customer.name}</span><${Mark} row=${row} here=${here} /><time title=${full(row.last_at)}>${ago(row.last_at)}</time></span>
    ${row.subject
      ? html`<span><span class="subject cut" dir="auto" lang=${scriptOf(row.subject)}>${row.subject}</span><${Wait} row=${row} /></span><span class="l3">${by}<span class="cut" dir="auto" lang=${scriptOf(said)}>${words}</span>${marks}</span>`
      : html`<span class="two">${by}<span class="said" dir="auto" lang=${scriptOf(said)}>${words}</span><span class="side"><span><${Wait} row=${row} /></span><span>${marks}</span></span></span>`}</a></li>`;
}
