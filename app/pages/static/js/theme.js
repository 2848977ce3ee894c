// Light, dark or automatic, remembered in this browser. Loaded before the style sheets, so nothing flashes.
(() => {
  const KEY = "kept-theme";
  const NAMES = { auto: "automatic", light: "light", dark: "dark" };
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const wantsDark = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return NAMES[localStorage.getItem(KEY)] ? localStorage.getItem(KEY) : "auto";
    } catch {
      return "auto"; // storage may be closed to us; the system's wish still counts
    }
  }

  function apply() {
    const choice = chosen();
    const dark = choice === "dark" || (choice === "auto" && wantsDark.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    document.querySelectorAll("[data-theme-name]").forEach((element) => { element.textContent = NAMES[choice]; });
    document.dispatchEvent(new CustomEvent("kept:theme"));
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    try {
      localStorage.setItem(KEY, NEXT[chosen()]);
    } catch {
      return;
    }
    apply();
  });
  wantsDark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", apply);
  apply();
})();
