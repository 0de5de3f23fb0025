// @ts-check
// A small set of emoji, found by word.
import { html } from "./html.js";
import { Menu } from "./menu.js";
import { insertText } from "./text_tools.js";

const SET = "🙏 thanks please|😊 smile glad|👍 yes good ok|🎉 party congratulations|💚 heart green love|❤️ heart red love|😀 happy|😅 phew sorry|🙂 fine|😉 wink|🤔 think hmm|😔 sad sorry|😮 oh surprise|👏 applause bravo|🙌 hurray|💪 strong|👋 hello wave bye|🤝 deal hands|✅ done check|❌ no cross|⚠️ careful warning|⭐ star|✨ sparkle shine|🔥 fire|📦 parcel box|🚚 delivery truck|📮 post|🧾 bill receipt|💳 card pay|🎁 gift|☕ coffee|🍵 tea|🌿 leaf plant|🌸 flower|☀️ sun|🌧️ rain|❄️ snow winter|⏰ clock time|📅 day calendar|📎 clip file"
  .split("|").map((one) => ({ sign: one.split(" ")[0], words: one.slice(one.indexOf(" ") + 1) }));

export const EmojiMenu = ({ anchor }) => html`<${Menu} label="Emoji" field="heart, tea, parcel" icon="smile" anchor=${anchor}
  items=${(text) => SET.filter((one) => !text || one.words.split(" ").some((word) => word.startsWith(text.toLowerCase()))).slice(0, text ? 40 : 12)
    .map((one) => ({ id: one.sign, name: one.sign, node: html`<span><span class="sign">${one.sign}</span> <span class="muted">${one.words}</span></span>`, run: () => setTimeout(() => insertText(one.sign)) }))} />`;
