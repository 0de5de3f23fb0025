// The open box: what the visitor said, what was answered, and what is still on its way.
// A message is "sent" only when the server has answered 201; its id is made here, so trying again never doubles it.

import { $, el, icon, newId } from './dom.js';
import { draw, drawTyping, speak, toEnd } from './log.js';
import { ask, at, forget, getOpening, hangUp, hasToken, listen, passing, postWhole, setToken } from './wire.js';
import * as write from './write.js';

const boot = JSON.parse($('boot').textContent), root = document.documentElement, strip = $('strip'), pill = $('new');
const alone = parent === window;
const box = { known: new Map(), pending: [], position: 0, seen: 0, mine: 0, email: null, closed: false, typing: [], first: null, up: true, open: alone, quiet: true };
let port = null, told = null;

root.style.setProperty('--brand', boot.brand);
root.style.setProperty('--on-brand', boot.onBrand);
const tell = data => port?.postMessage(data);
const reading = () => box.open && !document.hidden;

// --- What is on the screen -------------------------------------------------------------------------------------

const show = () => {
  const messages = [...[...box.known.values()].sort((a, b) => a.position - b.position), ...box.pending];
  const up = draw({ messages, seen: box.seen, closed: box.closed && !box.pending.length, quiet: box.quiet }, retry);
  drawTyping(box.typing);
  const sent = box.known.size > 0;
  $('hello').hidden = messages.length > 0 || hasToken() && box.quiet;
  $('mail').hidden = !sent || !!box.email;
  $('earlier').hidden = !box.more;
  quiet(sent);
  offline();
  const unread = [...box.known.values()].filter(message => message.by === 'staff' && message.position > box.mine).length;
  pill.hidden = !(up && unread && reading());
  if (unread && reading() && !up) markSeen();
  const count = reading() ? 0 : unread;
  if (count !== told) tell({ unread: told = count });
};
const opens = () => boot.opens > Date.now() ? `We answer from ${new Date(boot.opens).toLocaleString('en-GB', { weekday: 'long', hour: 'numeric', minute: 'numeric' })}. ` : '';
const quiet = sent => {
  const line = $('quiet'), key = sent ? box.email ?? '' : 'first';
  if (line.dataset.key === key) return;
  line.dataset.key = key;
  if (!sent) line.textContent = opens() + 'Nothing is stored until you write.';
  else if (!box.email) line.textContent = opens();
  else line.replaceChildren(el('span', {}, 'Answers also go to ', el('bdi', {}, box.email)), el('button', { type: 'button', textContent: 'Change', onclick: changeMail }));
};
const offline = () => {
  const cut = !navigator.onLine || !box.up, words = navigator.onLine ? 'Connecting again…' : 'You are offline.';
  strip.hidden = !cut || !(hasToken() || box.pending.length);
  if (cut && strip.dataset.words !== words) strip.replaceChildren(icon('offline'), el('span', {}, words + ' What you write waits here.'));
  strip.dataset.words = cut ? words : '';
};

// --- From the server -------------------------------------------------------------------------------------------

let pulling = null, again = false;
const pull = async () => {
  if (!hasToken()) return;
  if (pulling) { again = true; return pulling; }
  pulling = fetchNew().catch(failed).finally(() => { pulling = null; if (again) { again = false; pull(); } });
  return pulling;
};
const turn = ({ token }) => { if (token) { setToken(token); tell({ token }); } };
const fetchNew = async () => {
  const { email } = box, answer = await ask('GET', 'messages?after=' + box.position);
  turn(answer);
  take(email === box.email ? answer : { ...answer, email: box.email }); // given while we asked: the answer is older
};
const take = answer => {
  for (const message of answer.messages) {
    box.known.set(message.id, message);
    box.pending = box.pending.filter(item => item.id !== message.id);
    box.position = Math.max(box.position, message.position);
  }
  if (answer.more_before !== undefined && box.quiet) box.more = answer.more_before;
  Object.assign(box, { seen: answer.seen, mine: Math.max(box.mine, answer.mine), email: answer.email, closed: answer.closed, typing: answer.typing });
  box.up = true;
  show();
  box.quiet = false;
  if (box.pending.some(item => item.is === 'waiting')) flush();
};
const failed = error => {
  if (error.status === 401 || error.status === 404) return gone();
  if (passing(error)) { box.up = false; show(); }
};
// The session ended: what stands in the field and what was not sent stays here.
const gone = () => {
  tell({ token: null, was: hasToken() });
  forget();
  hangUp();
  box.known.clear();
  Object.assign(box, { position: 0, seen: 0, mine: 0, email: null, closed: false, typing: [], more: false });
  show();
};
const hinted = data => {
  if (data.gone) return gone();
  if (data.typing) typists(data.typing);
  if (data.seen) box.seen = Math.max(box.seen, data.seen);
  if ('closed' in data) box.closed = data.closed;
  if (data.p > box.position || !Object.keys(data).length) pull();
  else show();
};
// Who types says so again and again; who falls silent has stopped, even when nobody said so.
let silence;
const typists = people => { box.typing = people; clearTimeout(silence); if (people.length) silence = setTimeout(() => { box.typing = []; show(); }, 25000); };
const line = up => { if (box.up !== up) { box.up = up; show(); } };
const connect = () => { if (hasToken() && navigator.onLine && !(document.hidden && away)) listen(hinted, line); };

const earlier = async () => {
  const first = Math.min(...[...box.known.values()].map(message => message.position));
  try {
    const answer = await ask('GET', 'messages?before=' + first);
    answer.messages.forEach(message => box.known.set(message.id, message));
    box.more = answer.more_before;
    show();
  } catch (error) { failed(error); }
};

// --- To the server ---------------------------------------------------------------------------------------------

const send = (text, parcels) => {
  const files = parcels.map(parcel => ({ id: parcel.id, name: parcel.file.name, size: parcel.file.size, marks: [parcel.mark, parcel.ring] }));
  box.pending.push({ id: newId(), by: 'me', at: Date.now(), text, files, parcels, is: 'sending' });
  typing(false);
  box.quiet = false;
  show();
  toEnd();
  flush();
};
const retry = item => { item.is = 'sending'; delete item.why; show(); flush(); };

// One after the other, so that they arrive in the order they were written.
let flushing = false, pause = 2000;
const flush = async () => {
  if (flushing) return;
  flushing = true;
  for (let item; (item = box.pending.find(item => item.is !== 'failed'));) {
    item.is = 'sending';
    try {
      await post(item);
      pause = 2000;
    } catch (error) {
      item.is = passing(error) ? 'waiting' : 'failed';
      item.why = error.message;
      if (error.status === 401) gone();
      if (item.is === 'waiting') { setTimeout(flush, pause); pause = Math.min(pause * 2, 30000); box.up = false; }
      show();
      if (item.is === 'waiting') break;
    }
  }
  flushing = false;
};
const post = async item => {
  const answer = await (hasToken() ? postOn(item) : postFirst(item));
  turn(answer);
  connect();
  box.pending = box.pending.filter(other => other !== item);
  box.known.set(answer.message.id, answer.message);
  // A gap below it is filled by the next pull; only what follows directly moves the position.
  if (answer.message.position === box.position + 1) box.position++;
  else pull();
  box.closed = false;
  box.up = true;
  show();
};

const postFirst = ({ id, text, parcels }) => {
  const words = { id, text, opening: getOpening() };
  if (!parcels.length) return ask('POST', 'messages', words);
  return postWhole(words, parcels.map(parcel => parcel.file), part => parcels.forEach(parcel => parcel.progress(part)));
};
const postOn = async ({ id, text, parcels }) => {
  const files = [];
  for (const parcel of parcels) files.push((await parcel.go()).id);
  return ask('POST', 'messages', { id, text, files });
};

let typed = 0, still;
const typing = on => {
  if (!hasToken()) return;
  clearTimeout(still);
  if (on) still = setTimeout(typing, 6000, false);
  if (on ? Date.now() - typed < 4000 : !typed) return;
  typed = on ? Date.now() : 0;
  ask('PUT', 'typing', { typing: on }).catch(() => {});
};
const markSeen = () => {
  const last = Math.max(0, ...[...box.known.values()].filter(message => message.by === 'staff').map(message => message.position));
  if (last <= box.mine) return;
  box.mine = last;
  ask('PUT', 'seen', { position: last }).catch(() => {});
};

const changeMail = () => { const field = $('address'); field.value = box.email; box.email = null; show(); field.focus(); };
$('mail').onsubmit = async event => {
  event.preventDefault();
  const field = $('address'), note = $('mail-note');
  const fault = sentence => { note.textContent = sentence; note.hidden = !sentence; field.ariaInvalid = String(!!sentence); if (sentence) field.focus(); };
  field.value = field.value.trim();
  if (!field.value || !field.validity.valid) return fault('Please write a whole address, like you@example.com.');
  try {
    box.email = (await ask('PUT', 'email', { email: field.value })).email;
    fault('');
    show();
    write.focus();
  } catch (error) { fault(passing(error) ? 'No connection. Please try again.' : error.message); }
};

// --- The page around us ----------------------------------------------------------------------------------------

const look = ({ theme, dir, lang }) => { root.dataset.theme = theme; document.dir = dir; root.lang = lang || 'en'; speak(lang); };
const close = () => tell({ close: true });
const setOpen = open => {
  box.open = open;
  if (open) { pull(); connect(); requestAnimationFrame(() => { toEnd(); write.focus(); show(); }); } else show();
};
const heard = ({ data }) => {
  if (data.look) look(data.look);
  if ('open' in data) setOpen(data.open);
  if (data.token) { setToken(data.token); pull(); connect(); }
};
const begin = () => { show(); if (hasToken()) { pull(); connect(); } else { box.quiet = false; show(); } };

// The page that framed us hands over a port, once; nothing else is listened to.
addEventListener('message', event => {
  if (port || event.source !== parent || event.data?.chatinbox !== boot.key) return;
  port = event.ports[0];
  port.onmessage = heard;
  at.site = event.origin;
  if (event.data.token) setToken(event.data.token);
  look(event.data.look);
  begin();
  tell({ ready: true });
  if (event.data.open) setOpen(true);
});

let away = false, leave;
document.onvisibilitychange = () => {
  clearTimeout(leave);
  if (document.hidden) leave = setTimeout(() => { away = true; hangUp(); }, 120000);
  else { away = false; connect(); pull(); show(); }
};
addEventListener('online', () => { hangUp(); connect(); pull(); flush(); show(); });
addEventListener('offline', show);
addEventListener('keydown', event => { if (event.key === 'Escape' && !event.defaultPrevented && !$('emoji').matches(':popover-open')) close(); });
// Should the stream be kept from us on the way, asking now and then still brings everything.
setInterval(() => { if (!away) pull(); }, 30000);
setInterval(() => { if (!box.up && reading()) pull(); }, 5000);

$('close').onclick = close;
$('close').hidden = alone;
$('earlier').onclick = earlier;
pill.onclick = () => { toEnd(); pill.hidden = true; show(); write.focus(); };
$('scroll').addEventListener('scroll', () => { if (!pill.hidden) show(); }, { passive: true });
write.start({ limit: boot.limit, send, typing });
if (alone) { const night = matchMedia('(prefers-color-scheme: dark)'); look({ theme: night.matches ? 'dark' : 'light', dir: 'ltr', lang: navigator.language }); begin(); }
