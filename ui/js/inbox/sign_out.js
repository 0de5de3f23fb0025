// @ts-check
// Sign out: nothing that was written here stays in this browser.
import { keepAll } from "./drafts.js";
import { me } from "./store.js";

export function signOut() {
  keepAll();
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith("chatinbox-") && name.endsWith(me.staff_user_id)) localStorage.removeItem(name);
  } catch { /* nothing was kept */ }
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/sign-out";
  document.body.append(form);
  form.submit();
}
