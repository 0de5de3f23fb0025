/**
 * Passkeys: lets the browser ask for one and puts its answer into the form. Without script, or in a browser that does
 * not know passkeys, the button stays away and the page's other ways remain.
 */
const OLD = 8 * 60 * 1000;
const began = Date.now();

let offered = null; // what ends the offer in the address's field

async function ask(form, more = {}) {
  const fresh = Date.now() - began > OLD ? await renewed(form) : form;
  const options = JSON.parse(fresh.dataset.options);
  const made = form.dataset.passkey === 'add'
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...more });
  form.querySelector('[data-challenge]').value = fresh.querySelector('[data-challenge]').value;
  form.querySelector('[data-answer]').value = JSON.stringify(made);
  form.submit();
}

/** Offers passkeys where the address is typed, beside what the browser remembers, for as long as the page is open. */
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  offered = new AbortController();
  const renewing = setTimeout(() => (offered.abort(), offer(form)), OLD);
  try {
    await ask(form, { mediation: 'conditional', signal: offered.signal });
  } catch (error) {
    if (error.name !== 'AbortError') clearTimeout(renewing);
  }
}

/** What is asked is good for ten minutes; a page that stood open longer fetches it anew. */
async function renewed(form) {
  if (form.dataset.renew === undefined) return form;
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
  return page.querySelector(`[data-passkey="${form.dataset.passkey}"]`) ?? form;
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const form of document.querySelectorAll('[data-passkey]')) {
    const [button, alert] = [form.querySelector('button'), form.querySelector('[role=alert]')];
    for (const one of form.querySelectorAll('[data-with]')) one.hidden = false;
    for (const one of form.querySelectorAll('[data-without]')) one.hidden = true;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      [button.disabled, alert.hidden] = [true, true];
      offered?.abort(); // a browser asks one thing at a time
      try {
        await ask(form);
      } catch {
        [button.disabled, alert.hidden] = [false, false];
      }
    });
    if (form.dataset.autofill !== undefined) offer(form);
  }
}
