// Before anything is drawn: the theme and density this browser was left with. A classic script, so that nothing flashes.
(() => {
  try {
    const look = JSON.parse(localStorage.getItem("chatinbox-look") || "{}");
    if (look.theme) document.documentElement.dataset.theme = look.theme;
    if (look.density) document.documentElement.dataset.density = look.density;
  } catch { /* no storage: the system's theme */ }
})();
