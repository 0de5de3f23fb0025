// @ts-check
// The bar of four on small screens.
import { dialog } from "./dialogs.js";
import { Icon, html } from "./html.js";
import { openMenu } from "./menu_state.js";
import { goTo } from "./open.js";
import { view, zone } from "./route.js";
import { counts } from "./store.js";
import { written } from "./views.js";

export const TabBar = () => html`<nav class="tabbar" aria-label="Main">
  <button aria-current=${zone.value === "list" && view.value !== "mine" ? "page" : undefined} onClick=${() => goTo("todo")}><${Icon} is="inbox" />Inbox${counts.value.todo > 0 && html`<span class="count">${written(counts.value.todo)}</span>`}</button>
  <button onClick=${() => (dialog.value = { kind: "palette", text: "" })}><${Icon} is="search" />Search</button>
  <button aria-current=${view.value === "mine" ? "page" : undefined} onClick=${() => goTo("mine")}><${Icon} is="user" />Mine${counts.value.mine > 0 && html`<span class="count">${written(counts.value.mine)}</span>`}</button>
  <button onClick=${(event) => openMenu("house", event.currentTarget)}><${Icon} is="more" />More</button></nav>`;
