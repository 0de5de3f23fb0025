// Draws the conversation. Every node has a key and stays the same node as long as it says the same,
// so a screen reader hears only what is new and nothing in the log moves by itself.

import { $, el, face, icon, linked, size } from './dom.js';

const log = $('log'), scroll = $('scroll');
let nodes = new Map(), lang;
export const speak = value => { try { lang = Intl.getCanonicalLocales(value || navigator.language)[0]; } catch { lang = undefined; } };

const time = at => new Date(at).toLocaleTimeString(lang, { timeStyle: 'short' });
const day = at => {
  const then = new Date(at).setHours(0, 0, 0, 0), days = Math.round((new Date().setHours(0, 0, 0, 0) - then) / 864e5);
  if (days < 2) { const words = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }).format(-days, 'day'); return words[0].toLocaleUpperCase(lang) + words.slice(1); }
  return new Date(at).toLocaleDateString(lang, { weekday: 'long', day: 'numeric', month: 'long', year: days > 300 ? 'numeric' : undefined });
};
const said = by => el('span', { className: 'cb-out' }, by === 'me' ? 'You: ' : '');

const bubble = message => {
  const { by, text } = message, big = /^(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F\u200D]*\s?){1,3}$/u.test(text);
  const node = el('p', { className: 'cb-say', data: { by } }, said(by), linked(text));
  if (big) node.dataset.big = '';
  if (message.is) node.dataset.is = message.is;
  return node;
};
const long = text => text.length > 900 || text.split('\n').length > 14;
const unfold = (message, node) => {
  const more = el('button', { type: 'button', className: 'cb-more', textContent: 'Show all', data: { by: message.by },
    onclick() { delete node.dataset.long; more.remove(); message.unfolded = true; scroll.focus(); } });
  node.dataset.long = '';
  return more;
};
const attachment = (file, by) => {
  const picture = file.thumb && el('img', { src: file.thumb, alt: file.name, loading: 'lazy' });
  const name = el('span', { dir: 'auto' }, file.name, el('small', {}, size(file.size)));
  const link = el(file.url ? 'a' : 'span', { className: picture ? '' : 'file' }, ...picture ? [picture] : [...file.marks ?? [icon('file', false)], name]);
  if (file.url) Object.assign(link, { href: file.url, target: '_blank', rel: 'noopener' });
  return el('p', { className: 'cb-file', data: { by } }, said(by), link);
};
const state = (message, seen, retry) => {
  const is = message.is ?? (message.position <= seen ? 'seen' : 'sent'), node = el('p', { className: 'cb-state', data: { is } });
  const words = { sending: 'Sending', waiting: 'Waits for the connection', sent: 'Sent ' + time(message.at), seen: 'Seen ' + time(message.at), failed: message.why };
  node.append(icon({ sending: 'clock', waiting: 'clock', sent: 'check', seen: 'check2', failed: 'alert' }[is]), el('span', {}, words[is]));
  if (is === 'failed' || is === 'waiting') node.append(el('button', { type: 'button', textContent: 'Try again', onclick: () => retry(message) }));
  return node;
};

// What should stand in the log: [key, maker] in order. The key changes when the node must.
const wanted = ({ messages, seen, closed }, retry) => {
  const list = [];
  let last = null;
  messages.forEach((message, index) => {
    const { id, by, at } = message, next = messages[index + 1], on = day(at);
    if (!last || day(last.at) !== on) { list.push(['day ' + on, () => el('p', { className: 'cb-day' }, on)]); last = null; }
    if (by === 'staff' && (last?.by !== 'staff' || last.author.name !== message.author.name || at - last.at > 9e5))
      list.push(['who ' + id, () => el('p', { className: 'cb-who' }, face(message.author), el('span', {}, el('b', { dir: 'auto' }, message.author.name), ' · ' + time(at)))]);
    if (message.text) {
      const key = `say ${id} ${message.is ?? ''}`, fold = long(message.text) && !message.unfolded;
      list.push([key, () => bubble(message)]);
      if (fold) list.push(['more ' + key, () => unfold(message, nodes.get(key))]);
    }
    message.files.forEach(file => list.push([`file ${file.id}`, () => attachment(file, by)]));
    if (by === 'me' && (message.is || !next || next.by !== 'me' || next.is || day(next.at) !== on || message.position <= seen && next.position > seen))
      list.push([`state ${id} ${message.is ?? message.position <= seen} ${message.why ?? ''}`, () => state(message, seen, retry)]);
    last = message;
  });
  if (closed && messages.length) list.push(['closed', () => el('p', { className: 'cb-closed' }, 'This conversation is closed. Write to open it again.')]);
  return list;
};

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
export const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

// Returns true when the reader sits further up, so that what is new waits behind the pill.
export const draw = (state, retry) => {
  const stay = !atEnd(), before = scroll.scrollHeight, top = scroll.scrollTop, kept = new Map(), old = nodes;
  const earlier = state.messages[0]?.id !== log.dataset.first && log.dataset.first && nodes.size;
  log.ariaLive = state.quiet || earlier ? 'off' : 'polite';
  nodes = kept;
  let cursor = log.firstChild;
  for (const [key, make] of wanted(state, retry)) {
    const node = old.get(key) ?? make();
    kept.set(key, node);
    if (node === cursor) cursor = cursor.nextSibling;
    else log.insertBefore(node, cursor);
  }
  for (const [key, node] of old) if (!kept.has(key)) node.remove();
  log.dataset.first = state.messages[0]?.id ?? '';
  if (!stay) toEnd();
  else if (earlier) scroll.scrollTop = top + scroll.scrollHeight - before;
  return stay;
};

export const drawTyping = people => {
  const node = $('typing'), stay = !atEnd(), key = people.map(person => person.name).join();
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.hidden = !people.length;
  if (people.length) node.replaceChildren(face(people[0]), el('span', { className: 'typing', ariaHidden: 'true' }, el('i'), el('i'), el('i')),
    el('span', { dir: 'auto' }, people.length > 1 ? `${people.map(person => person.name).join(', ')} are writing` : `${people[0].name} is writing`));
  if (!stay) toEnd();
};

// The keyboard of a phone, a picture that arrived or a growing field must not hide the last words.
let end = true;
scroll.addEventListener('scroll', () => { end = atEnd(); }, { passive: true });
const watch = new ResizeObserver(() => { if (end) toEnd(); });
watch.observe(scroll);
watch.observe(log);
