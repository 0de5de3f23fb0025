// @ts-check
// Times as people say them, in the reader's zone.
import { signal } from "@preact/signals";

const LOCALE = navigator.language?.startsWith("en") ? navigator.language : "en-GB";
const form = (options) => new Intl.DateTimeFormat(LOCALE, options);
const CLOCK = form({ hour: "numeric", minute: "2-digit" });
const WEEKDAY = form({ weekday: "short" });
const DAY = form({ day: "numeric", month: "short" });
const MONTH = form({ month: "short" });
const LONG_DAY = form({ weekday: "long", day: "numeric", month: "long" });
const LONG_DAY_YEAR = form({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FULL = form({ dateStyle: "full", timeStyle: "short" });
const SINCE = form({ month: "long", year: "numeric" });
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY_LENGTH = 24 * HOUR;

/** The time, told anew each half minute. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);

const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);
const daysBetween = (from, to) => Math.round((midnight(to) - midnight(from)) / DAY_LENGTH);

export const clock = (at) => CLOCK.format(at);
export const full = (at) => FULL.format(at);
export const since = (at) => SINCE.format(at);

/** A length of time, short: 22 min, 1 h 52, 3 h, 2 d. */
export function length(millis) {
  if (millis < MINUTE) return "now";
  if (millis < HOUR) return `${Math.floor(millis / MINUTE)} min`;
  if (millis < 3 * HOUR) {
    const rest = Math.floor((millis % HOUR) / MINUTE);
    return `${Math.floor(millis / HOUR)} h${rest ? ` ${rest}` : ""}`;
  }
  return millis < DAY_LENGTH ? `${Math.floor(millis / HOUR)} h` : `${Math.floor(millis / DAY_LENGTH)} d`;
}

/** When, as a row says it: 22 min, 3 h, Fri, 14 Oct, 2024. */
export function ago(at, moment = now.value) {
  const days = daysBetween(at, moment);
  if (moment - at < 8 * HOUR && days < 2) return moment - at < HOUR ? length(moment - at) : `${Math.floor((moment - at) / HOUR)} h`;
  if (days === 0) return clock(at);
  if (days < 7) return WEEKDAY.format(at);
  return new Date(at).getFullYear() === new Date(moment).getFullYear() ? DAY.format(at) : String(new Date(at).getFullYear());
}

/** When, as the panel says it: today, Fri, Aug, 2024. */
export function month(at, moment = now.value) {
  const days = daysBetween(at, moment);
  if (days === 0) return "today";
  if (days < 7) return WEEKDAY.format(at);
  return moment - at < 300 * DAY_LENGTH ? MONTH.format(at) : String(new Date(at).getFullYear());
}

/** The day of a separator. */
export function day(at, moment = now.value) {
  const days = daysBetween(at, moment);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return (new Date(at).getFullYear() === new Date(moment).getFullYear() ? LONG_DAY : LONG_DAY_YEAR).format(at);
}

export const sameDay = (a, b) => midnight(a) === midnight(b);

/** A time to come: 15:00, Tue 08:00, Mon 30 Nov, 08:00. */
export function soon(at, moment = now.value) {
  const days = daysBetween(moment, at);
  if (days === 0) return clock(at);
  if (days < 6) return `${WEEKDAY.format(at)} ${clock(at)}`;
  return `${WEEKDAY.format(at)} ${DAY.format(at)}, ${clock(at)}`;
}

/** A size in bytes: 84 KB, 1.8 MB. */
export const size = (bytes) =>
  bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
