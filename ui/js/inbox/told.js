// @ts-check
// What the page carried with it, read once.
const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");

export const told = {
  boot: read("boot"),
  icons: read("icons"),
  letterStyle: read("letter-style"),
};
