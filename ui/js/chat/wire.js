// Speaks with the server: calls with the visitor's bearer, and the live stream.
// The stream carries hints only; what they point at is fetched. A lost hint costs time, never a message.

export class Refused extends Error {
  constructor(status, sentence) { super(sentence); this.status = status; }
}
// Worth another try without asking the visitor: nothing came back, or the server was not itself.
export const passing = error => !(error instanceof Refused) || error.status >= 500;

const base = location.pathname.replace(/\/frame$/, '/');
const sleep = ms => new Promise(done => setTimeout(done, ms));

let token = null;
// The site we stand on, as the browser names it: a token that lies in its storage is good on no other.
export const at = {};
// What proves, when the very first answer is lost and asked for again, that the same visitor asks: an opening of
// 48 bits of time and 256 random ones, made here, from which the server makes the token.
let opening = null;
export const setToken = value => { token = value; };
export const hasToken = () => token;
export const getOpening = () => opening ??= open();
export const forget = () => { token = opening = null; };

const open = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(38));
  let time = Date.now();
  for (let i = 5; i >= 0; i--, time = Math.floor(time / 256)) bytes[i] = time % 256;
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
};
const bearer = () => ({ 'x-chat-site': at.site, ...(token && { authorization: 'Bearer ' + token }) });

export const ask = async (method, path, body) => {
  const signal = AbortSignal.timeout(20000);
  const headers = body ? { 'content-type': 'application/json', ...bearer() } : bearer();
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), signal, cache: 'no-store', credentials: 'omit' });
  const data = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, data?.error?.message ?? 'Something went wrong here. Please try again.');
  return data;
};

// Only this old door tells how far an upload is.
const carry = (path, body, headers, progress, signal) => new Promise((done, fail) => {
  const call = new XMLHttpRequest();
  call.open('POST', base + path);
  for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
  call.responseType = 'json';
  call.upload.onprogress = event => progress(event.loaded / event.total);
  call.onload = () => call.status === 201 ? done(call.response)
    : fail(new Refused(call.status, call.response?.error?.message ?? 'The file could not be sent.'));
  call.onerror = call.ontimeout = () => fail(new TypeError('unreachable'));
  signal?.addEventListener('abort', () => call.abort());
  call.send(body);
});
export const upload = (file, progress, signal) => carry('files', file,
  { 'x-file-name': encodeURIComponent(file.name), 'content-type': file.type || 'application/octet-stream', ...bearer() }, progress, signal);
// The very first message takes its files along: before it there is nothing they could belong to.
export const postWhole = (words, files, progress) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(words)) form.append(name, value);
  for (const file of files) form.append('file', file);
  return carry('messages', form, bearer(), progress);
};

let running = null;
export const hangUp = () => { running?.abort(); running = null; };

// Keeps one stream per site open: the tab that holds the lock listens and tells the others.
export const listen = async (hint, up) => {
  if (running || !token) return;
  const mine = running = new AbortController(), signal = mine.signal, room = new BroadcastChannel(base);
  room.onmessage = event => 'up' in event.data ? up(event.data.up) : hint(event.data);
  signal.onabort = () => room.close();
  const tell = data => { if (!signal.aborted) { 'up' in data ? up(data.up) : hint(data); room.postMessage(data); } };
  // A second tab hears nothing of its own: it asks once, now.
  hint({});
  const hold = () => stream(signal, tell);
  // A browser that shuts third parties off from locks gets a stream for each tab.
  try { await navigator.locks.request('live:' + base, { signal }, hold); } catch { if (!signal.aborted) await hold(); }
};

const stream = async (signal, tell) => {
  for (let tries = 0; !signal.aborted; tries++) {
    if (tries) await sleep(Math.min(30000, 1000 * 2 ** Math.min(tries - 1, 5)) * (.75 + Math.random() / 2));
    if (signal.aborted) return;
    const began = Date.now();
    try {
      await read(signal, data => { tries = 0; tell(data); });
    } catch (error) {
      if (error.status === 401 || error.status === 404) { tell({ gone: true }); return; }
    }
    if (Date.now() - began < 15000 || !navigator.onLine) tell({ up: false });
  }
};

const read = async (signal, tell) => {
  const quiet = new AbortController();
  let timer;
  // The server says something every 20 s. A line silent for longer is dead, whatever the browser believes.
  const alive = () => { clearTimeout(timer); timer = setTimeout(() => quiet.abort(), 45000); };
  alive();
  try {
    const answer = await fetch(base + 'live', { headers: bearer(), signal: AbortSignal.any([signal, quiet.signal]), cache: 'no-store', credentials: 'omit' });
    if (!answer.ok) throw new Refused(answer.status, '');
    tell({ up: true });
    tell({});
    let rest = '';
    for await (const part of pieces(answer.body.pipeThrough(new TextDecoderStream()))) {
      alive();
      const lines = (rest + part).split('\n');
      rest = lines.pop();
      for (const line of lines) if (line.startsWith('data: ')) tell(JSON.parse(line.slice(6)));
    }
  } finally { clearTimeout(timer); }
};

// Streams cannot be looped over everywhere yet.
async function* pieces(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
