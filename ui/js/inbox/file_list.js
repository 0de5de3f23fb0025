// @ts-check
// Files of a message: pictures open here, everything else is saved.
import { dialog } from "./dialogs.js";
import { Icon, html } from "./html.js";
import { size } from "./time.js";

function File({ file }) {
  const show = (event) => {
    if (!file.thumb || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    dialog.value = { kind: "picture", file };
  };
  return html`<a class="file" href=${file.url} target="_blank" rel="noopener" download=${file.name} onClick=${show}>
    ${file.thumb ? html`<img src=${file.url} alt="" loading="lazy" decoding="async" />` : html`<${Icon} is="file" />`}
    <span class="cut-file"><span class="cut" dir="auto">${file.name}</span><small>${size(file.size)}</small></span></a>`;
}

/** Pictures that the letter itself shows in place are not listed again. */
export function Files({ files, inPlace = null }) {
  const shown = (files ?? []).filter((file) => !(file.content_id && inPlace?.includes(file.url)));
  if (!shown.length) return null;
  return html`<div class="files">${shown.map((file) => html`<${File} key=${file.id ?? file.key} file=${file} />`)}</div>`;
}
