// @ts-check
// What was said and what happened, in one order. Nothing moves by itself: what comes in while one reads above waits behind a pill.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Entry } from "./entry.js";
import { Icon, html } from "./html.js";
import { markSeen } from "./open.js";
import { outbox } from "./outbox.js";
import { hereAt } from "./presence.js";
import { afterPaint } from "./paint.js";
import { firstName, me } from "./store.js";
import { day, sameDay } from "./time.js";
import { earlier, lastPosition } from "./talks.js";

const NEAR = 60;
const READ_AFTER = 800;
const FIRST = 10;

const isMine = (entry) => entry.author_id === me.staff_user_id || entry.staff_user_id === me.staff_user_id;

/** Entries with day separators and the New marker between them. */
function parts(entries, pending, seen) {
  const out = [];
  let before = null, marked = false;
  const latest = entries.findLast((entry) => entry.by === "customer")?.id;
  for (const entry of [...entries, ...pending]) {
    if (!before || !sameDay(before, entry.at)) out.push(html`<div class="day" role="separator" key=${`day-${entry.id}`}>${day(entry.at)}</div>`);
    if (!marked && entry.position > seen && entry.kind !== "event" && !isMine(entry)) {
      marked = true;
      if (out.length > 1) out.push(html`<div class="day day--new" role="separator" key="new">New</div>`);
    }
    out.push(html`<${Entry} key=${entry.id} entry=${entry} latest=${entry.id === latest} />`);
    before = entry.at;
  }
  return out;
}

/** Words on their way, as an entry would show them. */
const asEntry = (item) => ({
  kind: item.kind === "note" ? "note" : "message", id: item.id, position: 0, at: item.at, by: "staff", author_id: me.staff_user_id,
  text: item.text, html: item.html, files: item.files, quoted: null, remote_pictures: 0, to: [], cc: [], pending: item,
});

function Writing({ row }) {
  const { visitor } = hereAt(row.id).value;
  if (!visitor.typing) return null;
  return html`<div class="state writing"><span class="typing" aria-hidden="true"><i></i><i></i><i></i></span>${firstName(row.customer.name)} is writing</div>`;
}

export function Timeline({ id, talk, row }) {
  const box = useRef(/** @type {any} */ (null));
  const height = useRef(0);
  const below = useSignal(0);
  // A long one shows its end first; what stands above follows once that is on the screen.
  const whole = useSignal(talk.entries.peek().length <= FIRST + 2);
  const entries = talk.entries.value;
  const known = new Set(entries.map((entry) => entry.id));
  const pending = outbox.value.filter((item) => item.conversation === id && item.state !== "held" && !known.has(item.id)).map(asEntry);
  const last = entries.at(-1)?.id, count = entries.length + pending.length;
  const kept = useRef({ last: undefined, count: 0, mine: 0 });

  // The box counts upwards from its end. Once it is gone, as when a key was faster than the paint, nobody reads there.
  const isAtEnd = () => (box.current?.scrollTop ?? -Infinity) > -NEAR;
  const look = () => {
    if (document.visibilityState !== "visible" || !isAtEnd()) return;
    below.value = 0;
    markSeen(talk);
  };

  useLayoutEffect(() => {
    const { last: before, count: counted, mine } = kept.current;
    kept.current = { last, count, mine: pending.length };
    if (!counted) return; // just opened: it stands at its end by itself
    if (pending.length > mine) box.current.scrollTop = 0;
    else if (last !== before && !isAtEnd()) {
      // What came in at the end would push what is read: take the push back.
      box.current.scrollTop -= Math.max(0, box.current.scrollHeight - height.current);
      const at = entries.findIndex((entry) => entry.id === before);
      below.value += entries.slice(at + 1).filter((entry) => entry.kind !== "event" && !isMine(entry)).length;
    }
  }, [last, count]);

  useEffect(() => {
    // How high it stands is noted after each layout, so that nobody has to ask for one.
    const watch = new ResizeObserver(() => (height.current = box.current?.scrollHeight ?? 0));
    watch.observe(box.current.firstElementChild);
    return () => watch.disconnect();
  }, []);

  // Opened: it is seen. What comes later counts as seen only after a moment in front of somebody's eyes.
  useEffect(() => {
    talk.seen = Math.max(talk.seen, lastPosition(talk));
    afterPaint(() => {
      whole.value = true;
      look();
    });
  }, []);
  useEffect(() => {
    if (talk.seen >= lastPosition(talk)) return;
    const timer = setTimeout(look, READ_AFTER);
    return () => clearTimeout(timer);
  }, [last]);
  useEffect(() => {
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);

  const scrolled = () => {
    if (isAtEnd()) look();
    if (talk.more.value && box.current.scrollHeight + box.current.scrollTop - box.current.clientHeight < 600) earlier(talk);
  };
  const toEnd = () => {
    box.current.scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    look();
  };
  return html`<div class="timeline-box"><div class="timeline" ref=${box} onScroll=${scrolled} tabindex="0" aria-label="What was said">
      <div class="log" role="log" aria-busy=${!whole.value} aria-label=${`Conversation ${row.number} with ${row.customer.name}`}>
        ${whole.value && talk.more.value && html`<button class="btn btn--bare earlier" key="earlier" onClick=${() => earlier(talk)}><${Icon} is="up" small />Earlier</button>`}
        ${parts(whole.value ? entries : entries.slice(-FIRST), pending, talk.seenAtOpen.value)}
        <${Writing} row=${row} key="writing" />
      </div></div>
    ${below.value > 0 && html`<button class="btn btn--main pill pill--end" onClick=${toEnd}>${below.value} new ${below.value === 1 ? "message" : "messages"}<${Icon} is="down" small /></button>`}
  </div>`;
}
