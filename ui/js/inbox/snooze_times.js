// @ts-check
// Times to come, proposed and read from words: "fri 9", "in 3 days", "tomorrow 14:30", "1 dec".
const MORNING = 8;
const HOUR = 3_600_000;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

function at(now, days, hours = MORNING, minutes = 0) {
  const time = new Date(now);
  time.setDate(time.getDate() + days);
  time.setHours(hours, minutes, 0, 0);
  return time.getTime();
}

/** The times a menu proposes now. */
export function proposals(now = new Date()) {
  const later = Math.ceil((now.getTime() + 3 * HOUR) / HOUR) * HOUR;
  const found = [];
  if (now.getHours() < 19) found.push({ name: "Later today", until: later });
  found.push({ name: now.getHours() < 5 ? "This morning" : "Tomorrow", until: at(now, now.getHours() < 5 ? 0 : 1) });
  const weekday = now.getDay();
  if (weekday >= 1 && weekday <= 3) found.push({ name: "Friday", until: at(now, 5 - weekday) });
  found.push({ name: "Next week", until: at(now, ((8 - weekday) % 7) || 7) });
  found.push({ name: "In a month", until: at(now, 30) });
  return found;
}

function clockIn(text) {
  const found = text.match(/(?:^|\s)(?:at\s+)?(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?\s*(?:h|uhr)?$/);
  if (!found) return null;
  const hours = (Number(found[1]) % (found[3] ? 12 : 24)) + (found[3] === "pm" ? 12 : 0);
  return { hours, minutes: Number(found[2] ?? 0), rest: text.slice(0, found.index).trim() };
}

/** The time a few words mean, or null when they mean none that is still to come. */
export function readTime(words, now = new Date()) {
  const text = words.trim().toLowerCase().replace(/[,]/g, " ").replace(/\s+/g, " ");
  if (!text) return null;
  const length = text.match(/^(?:in\s+)?(\d+|an?)\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?|months?)$/);
  if (length) {
    const count = Number(length[1]) || 1;
    if (/^mo/.test(length[2])) return at(now, 30 * count);
    if (length[2][0] === "m") return now.getTime() + count * 60_000;
    if (length[2][0] === "h") return now.getTime() + count * HOUR;
    return at(now, count * (length[2][0] === "w" ? 7 : 1));
  }
  const whole = onDay(text, null, now);
  if (whole) return whole;
  const clock = clockIn(text);
  return clock ? onDay(clock.rest, clock, now) : null;
}

function onDay(text, clock, now) {
  const [hours, minutes] = clock ? [clock.hours, clock.minutes] : [MORNING, 0];
  const coming = (time) => (time > now.getTime() ? time : null);
  if (text === "" && clock) return coming(at(now, 0, hours, minutes)) ?? at(now, 1, hours, minutes);
  if (text === "today") return coming(at(now, 0, hours, minutes));
  if (/^tom(orrow)?$/.test(text)) return at(now, 1, hours, minutes);
  if (text === "next week") return at(now, ((8 - now.getDay()) % 7) || 7, hours, minutes);
  const weekday = DAYS.findIndex((name) => text.replace(/^(next|on) /, "").startsWith(name) && /^(next |on )?[a-z]{3,9}$/.test(text));
  if (weekday >= 0) {
    const days = (weekday - now.getDay() + 7) % 7;
    return coming(at(now, days, hours, minutes)) ?? at(now, days + 7, hours, minutes);
  }
  const date = text.match(/^(\d{1,2})\.? ?([a-z]{3,9})( \d{4})?$/) ?? text.match(/^([a-z]{3,9}) (\d{1,2})( \d{4})?$/);
  const month = date && MONTHS.indexOf((/\d/.test(date[1]) ? date[2] : date[1]).slice(0, 3));
  if (date && month !== null && month >= 0) {
    const day = Number(/\d/.test(date[1]) ? date[1] : date[2]);
    const year = Number(date[3] ?? now.getFullYear());
    const time = new Date(year, month, day, hours, minutes).getTime();
    return coming(time) ?? (date[3] ? null : new Date(year + 1, month, day, hours, minutes).getTime());
  }
  return null;
}
