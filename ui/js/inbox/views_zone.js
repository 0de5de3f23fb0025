// @ts-check
// Zone 1: the views, their counts and keys, the tags, who I am.
import { dialog } from "./dialogs.js";
import { Face, Icon, Key, html, keyName, spoken } from "./html.js";
import { openMenu } from "./menu_state.js";
import { goTo } from "./open.js";
import { flipTheme } from "./prefs.js";
import { shown } from "./route.js";
import { account, counts, me, tags } from "./store.js";
import { told } from "./told.js";
import { VIEWS, written } from "./views.js";

const SHOWN_TAGS = 8;

/** A link that is followed here and can be opened elsewhere. */
const go = (act) => (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  act();
};

export const Mark = () => html`<svg class="mark" viewBox="0 0 22 22" aria-hidden="true"><path d="M5.5 1.5h11a4 4 0 0 1 4 4v7.2a4 4 0 0 1-4 4h-5.2L6 20.5v-3.8h-.5a4 4 0 0 1-4-4V5.5a4 4 0 0 1 4-4z" fill="var(--accent)" /><path d="M5 10.2h3.2c.2 1.7 1.3 2.7 2.8 2.7s2.6-1 2.8-2.7H17" fill="none" stroke="var(--on-accent)" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round" /></svg>`;

function View({ view }) {
  const count = view.count && counts.value[view.count];
  const isHere = shown.value.view === view.id && shown.value.query === null && !shown.value.tag;
  return html`<a class="view" href=${`/inbox/${view.id}`} title=${view.name} aria-current=${isHere ? "page" : undefined} aria-keyshortcuts=${view.key} data-view=${view.id} onClick=${go(() => goTo(view.id))}>
    <${Icon} is=${view.icon} /><span>${view.name}</span><kbd aria-hidden="true">${view.key}</kbd><span class="n">${count ? written(count) : ""}</span></a>`;
}

const Tag = ({ tag }) => html`<a class="view" href=${`/inbox/all?tag=${tag.id}`} title=${tag.name} aria-current=${shown.value.tag === tag.id ? "page" : undefined} onClick=${go(() => goTo("all", { tag: tag.id }))}>
  <span class="dot" style=${`--h:${tag.hue}`}></span><span class="cut" dir="auto">${tag.name}</span></a>`;

export const Views = () => html`
  <nav class="zone views" aria-label="Views">
    <button class="house" aria-haspopup="dialog" onClick=${(event) => openMenu("house", event.currentTarget)}><${Mark} /><span class="cut"><b>${account.name}</b></span><${Icon} is="down" small tone="push" /></button>
    <button class="btn find" aria-keyshortcuts=${spoken("mod+k")} title=${`Search or jump to (${keyName("mod+k")})`} onClick=${() => (dialog.value = { kind: "palette", text: "" })}><${Icon} is="search" /><span>Search or jump to</span><${Key} of="mod+k" /></button>
    <div class="scroll">
      <h2 class="label">Inbox</h2>
      ${VIEWS.map((view) => html`<${View} key=${view.id} view=${view} />`)}
      ${tags.value.length > 0 && html`<h2 class="label">Tags</h2>${tags.value.slice(0, SHOWN_TAGS).map((tag) => html`<${Tag} key=${tag.id} tag=${tag} />`)}`}
    </div>
    ${told.boot.outbox && html`<a class="view" href="/outbox" title="Outbox" aria-keyshortcuts="g o"><${Icon} is="send" /><span>Outbox</span><kbd aria-hidden="true">g o</kbd></a>`}
    <a class="view" href="/reports" title="Reports" aria-keyshortcuts="g r"><${Icon} is="chart" /><span>Reports</span><kbd aria-hidden="true">g r</kbd></a>
    <a class="view" href="/settings" title="Settings" aria-keyshortcuts="g s"><${Icon} is="gear" /><span>Settings</span><kbd aria-hidden="true">g s</kbd></a>
    <div class="who"><${Face} name=${me.name} hue=${me.hue} photo=${me.photo} staff size="1.5rem" on="here" /><span class="cut">${me.name}</span>
      <button class="btn btn--bare btn--icon knob push" aria-label="Dark or light" title="Dark or light" onClick=${flipTheme}><${Icon} is="moon" /></button></div>
  </nav>`;
