// The one script a business puts on its site. It draws the launcher and, once opened, a frame on our origin.
// Before the visitor acts: no request, no cookie, no storage. Needs of the site's CSP only script-src and frame-src
// for our origin: no inline style (adopted style sheets), no markup from strings (also passes Trusted Types).
// The server puts the channel's settings in place of __BOX__: {label, title, brand, onBrand}.
(box => {
  'use strict';
  const script = document.currentScript, here = new URL(script.src), origin = here.origin;
  const key = here.pathname.split('/').at(-2), name = 'chatinbox:' + key;
  if (window[name]) return; // the line stands twice in the page
  window[name] = true;

  const root = document.documentElement, narrow = matchMedia('(width < 480px)'), night = matchMedia('(prefers-color-scheme: dark)');
  let frame, port, memory = null, opened = false, unread = 0, late, scroll;

  // The visitor's token lies in the site's own storage, and only after the first message.
  const token = () => { try { return localStorage.getItem(name); } catch { return memory; } };
  const keep = value => {
    memory = value;
    try { value ? localStorage.setItem(name, value) : localStorage.removeItem(name); } catch { /* storage is shut: this page only */ }
  };

  const make = (tag, props) => Object.assign(document.createElement(tag), props);
  const host = make('chat-inbox'), shade = host.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host { all: initial !important; color-scheme: light; position: fixed !important; inset: auto max(20px, env(safe-area-inset-right)) max(20px, env(safe-area-inset-bottom)) auto !important; z-index: 2147483000 !important; }
:host([dir=rtl]) { inset-inline: auto max(20px, env(safe-area-inset-left)) !important; }
:host([data-theme=dark]) { color-scheme: dark; }
* { box-sizing: border-box; font: 600 15px/1 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
button { display: flex; align-items: center; gap: 8px; min-height: 52px; padding-inline: 16px 20px; border: 1px solid transparent; border-radius: 999px; background: var(--brand); color: var(--on-brand); cursor: pointer;
  box-shadow: 0 1px 2px var(--s), 0 8px 24px -6px var(--s2); --s: light-dark(oklch(32% .03 80 / 13%), oklch(0% 0 0 / 50%)); --s2: light-dark(oklch(32% .03 80 / 26%), oklch(0% 0 0 / 75%)); transition: translate 90ms; }
button:hover { translate: 0 -1px; } button:active { translate: 0; }
button:focus-visible { outline: 2px solid light-dark(oklch(44% .12 200), oklch(82% .11 190)); outline-offset: 2px; }
button[aria-busy=true] svg { opacity: .55; }
svg { width: 22px; height: 22px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linejoin: round; }
b { display: grid; place-items: center; min-width: 20px; height: 20px; padding-inline: 6px; margin-inline-end: -6px; border-radius: 999px; background: var(--on-brand); color: var(--brand); font-size: 12px; }
[hidden] { display: none; }
iframe { position: fixed; width: 384px; height: min(672px, 100dvh - 40px); border: 1px solid light-dark(oklch(90.2% .009 90), oklch(29.6% .014 265)); border-radius: 16px; background: light-dark(oklch(98.9% .004 95), oklch(21.4% .012 265));
  box-shadow: 0 2px 6px light-dark(oklch(32% .03 80 / 13%), oklch(0% 0 0 / 50%)), 0 24px 64px -12px light-dark(oklch(32% .03 80 / 26%), oklch(0% 0 0 / 75%)); inset: auto max(20px, env(safe-area-inset-right)) max(20px, env(safe-area-inset-bottom)) auto; }
:host([dir=rtl]) iframe { inset-inline: auto max(20px, env(safe-area-inset-left)); }
iframe[data-ready] { transition: translate 180ms cubic-bezier(.2, .7, .2, 1), opacity 180ms; @starting-style { translate: 0 12px; opacity: 0; } }
@media (width < 480px) { iframe { inset: 0 !important; width: 100%; height: 100dvh; border: 0; border-radius: 0; } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media print { :host { display: none !important; } }
`);
  sheet.insertRule(`:host { --brand: ${box.brand}; --on-brand: ${box.onBrand}; }`);
  shade.adoptedStyleSheets = [sheet];

  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = document.createElementNS(svg.namespaceURI, 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', 'M2 3h12v8.2H7.2L4 14v-2.8H2z');
  svg.append(path);
  const launch = make('button', { type: 'button', onclick: () => open() });
  const badge = make('b', { hidden: true, ariaHidden: 'true' });
  launch.append(svg, make('span', { textContent: box.label, dir: 'auto' }), badge);
  launch.ariaExpanded = 'false';
  shade.append(launch);

  // The site's theme, not the system's: what its page is painted in, else what it says it can be.
  const probe = make('span', { hidden: true });
  shade.append(probe);
  const dark = () => {
    for (const part of [document.body, root]) {
      probe.style.color = `color-mix(in srgb, ${getComputedStyle(part).backgroundColor}, transparent 0%)`;
      const [r, g, b, alpha = 1] = (getComputedStyle(probe).color.match(/[\d.e-]+/g) ?? []).map(Number);
      if (alpha > .5) return .2126 * r + .7152 * g + .0722 * b < .45;
    }
    const says = getComputedStyle(root).colorScheme;
    return says.includes('dark') && (!says.includes('light') || night.matches);
  };
  const look = () => {
    host.dataset.theme = dark() ? 'dark' : 'light';
    host.dir = getComputedStyle(root).direction;
    return { theme: host.dataset.theme, dir: host.dir, lang: root.lang };
  };
  const looked = () => port?.postMessage({ look: look() });

  const tell = count => {
    unread = count;
    badge.hidden = !count;
    badge.textContent = count > 9 ? '9+' : count;
    launch.title = count ? `${count} new message${count > 1 ? 's' : ''}` : '';
    launch.ariaLabel = count ? `${box.label}, ${launch.title}` : null;
  };

  const heard = ({ data }) => {
    if ('ready' in data) { frame.dataset.ready = ''; clearTimeout(late); show(); }
    // What another tab got meanwhile is not thrown away with what was worth nothing any more.
    if (data.was && token() && token() !== data.was) port.postMessage({ token: token() });
    else if ('token' in data) keep(data.token);
    if ('unread' in data) tell(data.unread);
    if ('close' in data) close();
  };

  const mount = () => {
    if (frame) return;
    frame = make('iframe', { src: `${origin}/chat/${key}/frame`, title: box.title, hidden: true, referrerPolicy: 'no-referrer', allow: 'clipboard-write' });
    frame.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads');
    frame.onload = () => {
      const line = new MessageChannel();
      port = line.port1;
      port.onmessage = heard;
      frame.contentWindow.postMessage({ chatinbox: key, token: token(), look: look(), open: opened }, origin, [line.port2]);
    };
    shade.append(frame);
  };
  // The frame never said it is ready: forget it, so that the next press tries again.
  const giveUp = () => {
    frame.remove();
    frame = port = null;
    opened = false;
    show();
    launch.title = 'The chat could not be opened. Try again.';
  };

  const show = () => {
    const out = opened && !!frame && 'ready' in frame.dataset;
    if (frame) frame.hidden = !out;
    launch.hidden = out;
    launch.ariaExpanded = String(out);
    launch.ariaBusy = String(opened && !out);
    if (narrow.matches && out) { scroll ??= root.style.overflow; root.style.overflow = 'hidden'; }
    else if (scroll !== undefined) { root.style.overflow = scroll; scroll = undefined; }
    if (out) frame.focus();
  };
  const open = () => {
    opened = true;
    launch.title = '';
    mount();
    if (!('ready' in frame.dataset)) late = setTimeout(giveUp, 12000);
    port?.postMessage({ open: true });
    show();
  };
  const close = () => {
    opened = false;
    port?.postMessage({ open: false });
    show();
    launch.focus();
  };

  const start = () => {
    look();
    document.body.append(host);
    new MutationObserver(looked).observe(root, { attributes: true });
    new MutationObserver(looked).observe(document.body, { attributes: true });
    night.onchange = looked;
    narrow.onchange = show;
    // Another tab of this site wrote the first message.
    addEventListener('storage', event => { if (event.key === name) port?.postMessage({ token: event.newValue }); });
    // Somebody who has written here before hears of answers with the box closed.
    if (token()) (window.requestIdleCallback ?? setTimeout)(mount);
  };
  document.body ? start() : addEventListener('DOMContentLoaded', start);
})(__BOX__);
