// @ts-check
// Zone 2: the list. Only the rows near the screen exist; a page more is fetched before the end is seen.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { RowBones } from "./bones.js";
import { ListEmpty, Trouble } from "./empty.js";
import { Icon, html } from "./html.js";
import { current, load, newAbove, settle, touchList } from "./lists.js";
import { openMenu } from "./menu_state.js";
import { changeList, goTo } from "./open.js";
import { density, flipDensity } from "./prefs.js";
import { Row } from "./row.js";
import { openId, query, shown, sort, tag } from "./route.js";
import { counts, tagOf } from "./store.js";
import { ListStrips } from "./strips.js";
import { STATUS, viewOf, written } from "./views.js";

const SPARE = 6;
const STEP = 6;
const AHEAD = 12;

function Turns({ open }) {
  const { view, status } = shown.value;
  const told = view === "mine" ? { todo: counts.value.mine } : view === "unassigned" ? { todo: counts.value.unassigned } : {};
  return html`<div class=${`turns${open ? " turns--open" : ""}`}><div class="segments" role="group" aria-label="Whose turn">
    ${Object.entries(STATUS).map(([name, words]) => html`<button key=${name} aria-current=${status === name ? "true" : undefined} onClick=${() => changeList({ status: name })}>${words}${told[name] ? html` <span class="faint">${written(told[name])}</span>` : null}</button>`)}
  </div></div>`;
}

function Header() {
  const { view } = shown.value;
  const isSearch = query.value !== null;
  const filter = tag.value && tagOf(tag.value);
  const sorts = !isSearch && ["todo", "mine", "unassigned"].includes(view);
  const opens = (!isSearch && viewOf(view).turns) || filter;
  return html`<header class=${`bar${opens ? " bar--open" : ""}`}>
      <h1 class="title cut">${isSearch ? html`“<bdi>${query.value}</bdi>”` : viewOf(view).name}</h1>
      ${!isSearch && html`<button class="btn btn--bare btn--icon phone-only" aria-label="Other views" onClick=${(event) => openMenu("where", event.currentTarget)}><${Icon} is="down" /></button>`}
      <span class="push"></span>
      ${isSearch && html`<button class="btn btn--bare" onClick=${() => goTo(view)}><${Icon} is="x" />Close</button>`}
      ${sorts && html`<button class="btn btn--bare" aria-haspopup="dialog" onClick=${(event) => openMenu("sort", event.currentTarget)}><span class="wide-only">${sort.value === "longest" ? "Longest waiting" : "Newest"}</span><span class="phone-only">Sort</span><${Icon} is="down" small /></button>`}
      ${!isSearch && html`<button class="btn btn--bare btn--icon" aria-label="Only with a tag" title="Only with a tag" aria-haspopup="dialog" aria-pressed=${Boolean(filter)} onClick=${(event) => openMenu("filter", event.currentTarget)}><${Icon} is="filter" /></button>`}
      <button class="btn btn--bare btn--icon wide-only" aria-label="Row density" title="Row density" aria-pressed=${density.value === "compact"} onClick=${flipDensity}><${Icon} is="rows" /></button>
    </header>
    ${!isSearch && viewOf(view).turns && html`<${Turns} open=${Boolean(filter)} />`}
    ${filter && html`<div class="filters"><span class="chip" style=${`--h:${filter.hue}`}>${filter.name}<button class="undress" aria-label=${`Without the tag ${filter.name}`} onClick=${() => changeList({ tag: null })}><${Icon} is="x" small /></button></span></div>`}`;
}

/** Which rows are near the screen, and how high one is. */
function useWindow(box, count) {
  const at = useSignal({ first: 0, last: 30, height: 0 });
  const sight = useRef({ top: 0, height: 0 });
  const measure = (isScroll = false) => {
    if (!box.current) return;
    const one = box.current.querySelector(".row")?.parentElement;
    const height = (isScroll && at.peek().height) || one?.getBoundingClientRect().height || at.peek().height;
    sight.current = { top: box.current.scrollTop, height: box.current.clientHeight };
    if (!height) return;
    // In steps, so that most scrolling draws nothing new.
    const first = Math.max(0, Math.floor((sight.current.top / height - SPARE) / STEP) * STEP);
    const last = first + Math.ceil(sight.current.height / height) + 2 * SPARE + STEP;
    const known = at.peek();
    if (first !== known.first || last !== known.last || height !== known.height) at.value = { first, last, height };
  };
  useLayoutEffect(() => measure(), [count, density.value]);
  useEffect(() => {
    const watch = new ResizeObserver(() => measure());
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return { at: at.value, measure, sight };
}

/** What is read stays where it is when rows come in above it. */
function useAnchor(box, ids, height) {
  const kept = useRef(/** @type {{ids: string[], list: any}} */ ({ ids: [], list: null }));
  useLayoutEffect(() => {
    const { ids: before, list } = kept.current;
    kept.current = { ids, list: current.peek() };
    if (list !== current.peek()) return void (box.current.scrollTop = 0);
    if (!height || box.current.scrollTop < height / 2) return;
    const first = Math.floor(box.current.scrollTop / height);
    const anchor = before.slice(first).find((id) => ids.includes(id));
    const moved = anchor ? ids.indexOf(anchor) - before.indexOf(anchor) : 0;
    if (moved) box.current.scrollTop += moved * height;
  }, [ids]);
}

function Rows() {
  const list = current.value, ids = list.ids.value;
  const box = useRef(/** @type {any} */ (null));
  const { at, measure, sight } = useWindow(box, ids.length);
  useAnchor(box, ids, at.height);
  const last = Math.min(ids.length, at.last);
  useEffect(() => {
    if (last + AHEAD >= ids.length && list.next.value) load(list, true);
  }, [last, ids, list.next.value]);
  // The open row comes into view when keys move along the list.
  useSignalEffect(() => {
    const place = openId.value ? current.value.ids.peek().indexOf(openId.value) : -1;
    const { height } = at;
    if (place < 0 || !height) return;
    const top = place * height, seen = sight.current;
    if (top < seen.top) box.current.scrollTop = top;
    else if (top + height > seen.top + seen.height) box.current.scrollTop = top + height - seen.height;
  });
  const isEmpty = list.state.value === "ready" && !ids.length;
  const first = Math.min(at.first, Math.max(0, last - 1));
  return html`<ol class="scroll rows" ref=${box} aria-label=${viewOf(shown.value.view).name} aria-busy=${list.state.value === "loading"} onScroll=${() => measure(true)}
      onPointerMove=${(event) => event.pointerType === "mouse" && touchList()} onPointerLeave=${() => (touchList(0), settle())}>
    ${first > 0 && html`<li class="gap-above" key="above" aria-hidden="true" style=${`height:${first * at.height}px`}></li>`}
    ${ids.slice(first, last).map((id, i) => html`<${Row} key=${id} id=${id} size=${list.next.value ? -1 : ids.length} at=${first + i} />`)}
    ${last < ids.length && html`<li key="below" aria-hidden="true" style=${`height:${(ids.length - last) * at.height}px`}></li>`}
    ${list.state.value === "loading" && html`<${RowBones} key="bones" few=${ids.length > 0} />`}
    ${list.error.value && html`<li key="trouble"><${Trouble} error=${list.error.value} again=${() => load(list, ids.length > 0)} small=${ids.length > 0} /></li>`}
    ${isEmpty && html`<li key="empty"><${ListEmpty} /></li>`}
  </ol>`;
}

export const List = () => html`
  <section class="zone list" id="list" aria-label=${`Conversations: ${viewOf(shown.value.view).name}`}>
    <${Header} /><${ListStrips} />
    <div class="rows-box">
      ${newAbove.value > 0 && html`<button class="btn btn--main pill pill--top" onClick=${() => settle(current.value, true)}>${newAbove.value} new<${Icon} is="up" small /></button>`}
      <${Rows} />
    </div>
  </section>`;
