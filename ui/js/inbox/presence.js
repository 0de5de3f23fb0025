// @ts-check
// Who else looks at a conversation, who writes, whether the visitor is here. Nothing of it lasts.
import { effect, signal } from "@preact/signals";
import { put } from "./api.js";
import { openId } from "./route.js";
import { me } from "./store.js";

const BEAT = 10_000;
const TYPING_LASTS = 20_000;

/** @type {Map<string, import("@preact/signals").Signal<any>>} */
const places = new Map();
const EMPTY = { people: [], visitor: { here: false, typing: false }, at: 0 };

/** The signal of who is at a conversation. */
export function hereAt(id) {
  let place = places.get(id);
  if (!place) places.set(id, (place = signal(EMPTY)));
  return place;
}

/** Takes over what the server says of one conversation. */
export function noteHere({ conversation_id, people, visitor }) {
  const others = people.filter((one) => one.staff_user_id !== me.staff_user_id);
  const place = hereAt(conversation_id);
  const before = place.peek();
  if (!others.length && !before.people.length && before.visitor.here === visitor.here && before.visitor.typing === visitor.typing) return;
  place.value = { people: others, visitor, at: Date.now() };
  if (visitor.typing) setTimeout(() => forget(place, Date.now() - TYPING_LASTS), TYPING_LASTS + 50);
}

function forget(place, before) {
  const told = place.peek();
  if (told.visitor.typing && told.at <= before + 100) place.value = { ...told, visitor: { ...told.visitor, typing: false } };
}

let typingUntil = 0;
let toldTyping = false;
let toldPlace = /** @type {string|null} */ (null);

function tell() {
  const place = document.visibilityState === "visible" ? openId.peek() : null;
  const typing = Boolean(place) && Date.now() < typingUntil;
  if (!place && !toldPlace) return;
  toldPlace = place;
  toldTyping = typing;
  put("/api/here", { conversation_id: place, typing }).catch(() => {});
}

/** A key was pressed in the answer to a customer or in a note. */
export function iType() {
  typingUntil = Date.now() + 4000;
  if (!toldTyping) tell();
  clearTimeout(stop);
  stop = setTimeout(tell, 4100);
}
let stop = 0;

/** The answer left: nobody types any more. */
export function iStop() {
  typingUntil = 0;
  if (toldTyping) tell();
}

export function startPresence() {
  effect(() => {
    openId.value;
    setTimeout(tell, 300);
  });
  document.addEventListener("visibilitychange", tell);
  setInterval(tell, BEAT);
}
