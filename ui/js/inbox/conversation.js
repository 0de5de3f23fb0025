// @ts-check
// Zone 3: one conversation — its head, what was said, and the place to answer.
import { useLayoutEffect } from "preact/hooks";
import { TalkBones } from "./bones.js";
import { Composer } from "./composer.js";
import { Gone, NothingOpen, Trouble } from "./empty.js";
import { Head } from "./head.js";
import { Hold } from "./hold.js";
import { html } from "./html.js";
import { outboxOf } from "./outbox.js";
import { openId } from "./route.js";
import { may, rowOf } from "./store.js";
import { refresh, talkOf } from "./talks.js";
import { Timeline } from "./timeline.js";

/** Notes the time from the key or click to the screen, as the measure "open-conversation". */
function useMeasure(id, ready) {
  useLayoutEffect(() => {
    if (!ready || !performance.getEntriesByName("open-conversation:asked").length) return;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => {
        if (!performance.getEntriesByName("open-conversation:asked").length) return;
        performance.measure("open-conversation", { start: "open-conversation:asked", detail: { id } });
        performance.clearMarks("open-conversation:asked");
      };
      after.port2.postMessage(null);
    });
  }, [id, ready]);
}

function Open({ id }) {
  const row = rowOf(id).value;
  const talk = talkOf(id);
  const state = talk.state.value;
  const held = outboxOf(id).find((item) => item.state === "held");
  useMeasure(id, state === "ready");
  return html`
    <${Head} row=${row} talk=${talk} />
    ${state === "ready" && html`<${Timeline} key=${id} id=${id} talk=${talk} row=${row} />`}
    ${(state === "loading" || state === "new") && html`<div class="timeline"><${TalkBones} /></div>`}
    ${state === "error" && html`<div class="timeline timeline--middle"><${Trouble} error=${talk.error.value} what="This conversation" again=${() => ((talk.state.value = "new"), refresh(talk))} /></div>`}
    ${state === "gone" && html`<${Gone} />`}
    ${held ? html`<${Hold} key=${held.id} item=${held} talk=${talk} />` : state !== "gone" && (may("answer") || may("note")) && html`<${Composer} id=${id} row=${row} talk=${talk} />`}`;
}

export function Conversation() {
  const id = openId.value;
  const row = id && rowOf(id);
  return html`<main class="zone conversation" id="conversation" aria-label="Conversation" tabindex="-1">${row ? html`<${Open} id=${id} />` : html`<${NothingOpen} />`}</main>`;
}
