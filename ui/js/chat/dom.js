// Small ways to build and say things. Words of others become text nodes only, never markup.

export const $ = id => document.getElementById(id);

export const el = (tag, props = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'data') Object.assign(node.dataset, value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child != null));
  return node;
};

export const icon = (name, small = true) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS(svg.namespaceURI, 'use');
  svg.setAttribute('class', small ? 'icon icon--s' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', '#i-' + name);
  svg.append(use);
  return svg;
};

export const face = author => {
  const node = el('span', { className: 'face', ariaHidden: 'true' }, author.photo ? el('img', { src: author.photo, alt: '' }) : author.initials);
  node.style.setProperty('--h', author.hue);
  return node;
};

// Web and mail addresses inside a text become links; a closing mark or bracket behind one is not part of it.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+|\bwww\.[^\s<>"'`]+\.[^\s<>"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
export const linked = text => {
  const span = el('span', { dir: 'auto' });
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    let words = match[0].replace(/[.,;:!?…]+$/, '');
    while (/[)\]}]$/.test(words) && !/[([{]/.test(words)) words = words.slice(0, -1);
    const href = words.includes('://') ? words : words.includes('@') ? 'mailto:' + words : 'https://' + words;
    if (!URL.canParse(href)) continue;
    span.append(text.slice(at, match.index), el('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow', textContent: words }));
    at = match.index + words.length;
  }
  span.append(text.slice(at));
  return span;
};

export const size = bytes => bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1048576).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

// UUIDv7 (RFC 9562 §5.7): time first, so that rows lie in the order they were written.
export const newId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let i = 5; i >= 0; i--, time = Math.floor(time / 256)) bytes[i] = time % 256;
  bytes[6] = bytes[6] & 15 | 112;
  bytes[8] = bytes[8] & 63 | 128;
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};
