// @ts-check
// The sheet of keys, made from the table that binds them.
import { COMMANDS, nameOf } from "./commands.js";
import { dialog } from "./dialogs.js";
import { Icon, Key, html } from "./html.js";
import { setSingleKeys, singleKeys } from "./prefs.js";

const GROUPS = ["Move", "Answer", "Sort out", "Go to"];

const Line = ({ command }) => html`<div class="line"><dt>${nameOf(command)}</dt><dd class="push line keys">${command.keys.flatMap((key) => key.split(" ")).map((key) => html`<${Key} key=${key} of=${key} />`)}</dd></div>`;

export const Keys = () => html`<div class="dialog sheet">
  <div class="bar"><h3 class="title">Keys</h3><label class="line push"><input type="checkbox" checked=${singleKeys.value} onChange=${(event) => setSingleKeys(event.target.checked)} />Single keys</label><button class="btn btn--bare btn--icon" aria-label="Close" onClick=${() => (dialog.value = null)}><${Icon} is="x" /></button></div>
  <div class="sheet-in">${GROUPS.map((group) => html`<section key=${group}><h4 class="label">${group}</h4><dl class="stack">${COMMANDS.filter((one) => one.group === group && one.keys.length).map((one) => html`<${Line} key=${one.id} command=${one} />`)}</dl></section>`)}
    <p class="small faint">Single keys never fire while you type. Keys with ${html`<${Key} of="mod+k" />`} work everywhere.</p></div></div>`;
