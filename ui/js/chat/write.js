// The field, the files that wait beside it, and the emoji. Calls `send(text, files)`, `typing()`.

import { $, el, icon, newId, size } from './dom.js';
import { hasToken, upload } from './wire.js';

const words = $('words'), tray = $('tray'), picker = $('files'), drop = $('drop'), coarse = matchMedia('(pointer: coarse)');
let most = 26214400, waiting = [];

// A file goes up at once when the visitor has written before; else only when he presses Send.
class Parcel {
  constructor(file) {
    this.file = file;
    this.id = newId();
    this.stop = new AbortController();
    this.note = el('small', {}, size(file.size));
    this.ring = el('span', { className: 'ring', hidden: true });
    this.mark = icon('file', false);
    this.row = el('li', { className: 'file' }, this.mark, this.ring, el('span', { dir: 'auto' }, file.name, this.note),
      el('button', { type: 'button', className: 'cb-round', ariaLabel: 'Remove ' + file.name, onclick: () => this.remove() }, icon('x')));
    if ($('attach').hidden) this.fail('No files are taken here.');
    else if (file.size > most) this.fail(`Too large: ${size(file.size)}. A file may have ${size(most)} at most.`);
    else if (!file.size) this.fail('This file is empty.');
    else if (hasToken()) this.go().catch(() => {});
  }
  get ok() { return !this.sentence; }
  go() { return this.going ??= this.#send(); }
  async #send() {
    this.progress(0);
    try {
      const answer = await upload(this.file, part => this.progress(part), this.stop.signal);
        this.#rest();
      return answer;
    } catch (error) {
      this.going = null;
      this.#rest();
      if (error.status && error.status < 500) this.fail(error.message);
      throw error;
    }
  }
  #rest() { this.ring.hidden = true; this.mark.removeAttribute('hidden'); }
  progress(part) { this.ring.hidden = false; this.mark.setAttribute('hidden', ''); this.ring.style.setProperty('--part', part * 100 + '%'); }
  fail(sentence) { this.sentence = sentence; this.note.textContent = sentence; this.note.role = 'alert'; this.row.dataset.is = 'failed'; }
  remove() { this.stop.abort(); waiting = waiting.filter(parcel => parcel !== this); show(); words.focus(); }
}

const show = () => { tray.replaceChildren(...waiting.map(parcel => parcel.row)); tray.hidden = !waiting.length; };
const add = files => { waiting = [...waiting, ...[...files].map(file => new Parcel(file))].slice(0, 10); show(); words.focus(); };
export const clear = () => { words.value = ''; waiting = []; show(); };
export const focus = () => words.focus({ preventScroll: true });

const LIST = '😀 😄 😂 🙂 😉 😍 🥰 😎 🤔 😅 😬 😕 😢 😡 👍 👎 👏 🙏 💪 👋 🤝 ❤️ 🎉 ✨ 🔥 ✅ ❓ 🎁 📦 🚚 📷 ☕ 🌿 🌞 🍀';
const fillEmoji = box => {
  if (box.childElementCount) return;
  box.append(...LIST.split(' ').map((sign, i) => el('button', { type: 'button', textContent: sign, tabIndex: i ? -1 : 0, onclick() { insert(sign); box.hidePopover(); } })));
  box.onkeydown = event => {
    const all = [...box.children], step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 7, ArrowUp: -7 }[event.key] * (document.dir === 'rtl' && event.key.length > 9 ? -1 : 1);
    if (step) { event.preventDefault(); all[all.indexOf(document.activeElement) + step]?.focus(); }
  };
};
const insert = sign => { words.setRangeText(sign, words.selectionStart, words.selectionEnd, 'end'); words.focus(); };

export const start = ({ limit, send, typing }) => {
  most = limit;
  const submit = () => {
    const text = words.value.trim(), good = waiting.filter(parcel => parcel.ok);
    if (!text && !good.length) return focus();
    send(text, good);
    clear();
    focus();
  };
  $('write').onsubmit = event => { event.preventDefault(); submit(); };
  words.onkeydown = event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && !coarse.matches) { event.preventDefault(); submit(); }
  };
  words.oninput = () => typing(!!words.value);
  words.onpaste = event => { if (event.clipboardData.files.length) { event.preventDefault(); add(event.clipboardData.files); } };
  $('attach').onclick = () => picker.click();
  picker.onchange = () => { add(picker.files); picker.value = ''; };
  const emoji = $('emoji');
  emoji.onbeforetoggle = event => { if (event.newState === 'open') fillEmoji(emoji); };
  emoji.ontoggle = event => { if (event.newState === 'open') emoji.firstChild.focus(); };
  let depth = 0;
  const has = event => event.dataTransfer?.types.includes('Files');
  ondragenter = event => { if (has(event)) { depth++; drop.hidden = false; } };
  ondragleave = event => { if (has(event) && !--depth) drop.hidden = true; };
  ondragover = event => { if (has(event)) event.preventDefault(); };
  ondrop = event => { if (has(event)) { event.preventDefault(); depth = 0; drop.hidden = true; add(event.dataTransfer.files); } };
};
