// @ts-check
// Bones: the shape of what is on its way. They stand still and show only after 150 ms (in the style sheet).
import { html } from "./html.js";

const Bone = ({ width }) => html`<i class="bone" style=${`inline-size:${width}`}></i>`;
const WIDTHS = [[60, 88, 72], [46, 70, 84], [72, 54, 66], [52, 80, 60], [66, 74, 78], [48, 62, 70], [58, 84, 64]];

export const RowBones = ({ few }) => html`<li class="late-bones" role="status" aria-label="Loading">
  ${WIDTHS.slice(0, few ? 2 : 7).map((widths, i) => html`<div class="row" key=${i}><i class="bone bone--icon"></i><div class="stack bones">${widths.map((width) => html`<${Bone} width=${`${width}%`} />`)}</div></div>`)}
</li>`;

export const TalkBones = () => html`<div class="log late-bones" role="status" aria-label="Loading">
  ${[[34, 92, 64], [28, 84, 48], [30, 76, 58]].map((widths, i) => html`<div class="msg" key=${i}><i class="bone bone--face"></i><div class="stack bones">${widths.map((width) => html`<${Bone} width=${`${width}%`} />`)}</div></div>`)}
</div>`;
