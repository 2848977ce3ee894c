// Keyboard: data-key="/" or "alt+1" or "ctrl+enter" on a field or button; "?" lists every key of the page.
(() => {
  const SYMBOLS = { arrowup: "↑", arrowdown: "↓", up: "↑", down: "↓" };

  function nameOf(event) {
    const parts = [];
    if (event.ctrlKey || event.metaKey) parts.push("ctrl");
    if (event.altKey) parts.push("alt");
    // With Alt some keyboards type another sign: the key's place says which digit or letter it was.
    const sign = event.altKey ? event.code.replace(/^(Digit|Key)/, "") : event.key;
    parts.push(sign.toLowerCase());
    return parts.join("+");
  }

  function isTyping(element) {
    return element.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  }

  const visible = (element) => element.offsetParent !== null;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const name = nameOf(event);
    const plain = !name.includes("+");
    if (plain && isTyping(event.target)) return;
    if (name === "?") {
      openList();
      event.preventDefault();
      return;
    }
    const scope = document.querySelector("dialog[open]") ?? document;
    const target = [...scope.querySelectorAll("[data-key]")].find((element) => element.dataset.key === name && visible(element));
    if (!target) return;
    event.preventDefault();
    if (isTyping(target)) {
      target.focus();
      target.select?.();
    } else if (target.matches("a, button, summary, input")) target.click();
    else target.focus();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) openList();
  });

  function openList() {
    const dialog = document.getElementById("keys-dialog");
    if (!dialog || dialog.open) return;
    const rows = [...document.querySelectorAll("[data-key]")].filter(visible).map(describe);
    rows.push(["?", "Show this list"], ["Esc", "Close a menu or dialog"]);
    dialog.querySelector("[data-key-list]").replaceChildren(...rows.flatMap(draw));
    dialog.showModal();
  }

  function describe(element) {
    const label = element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? textOf(element);
    return [words(element.dataset.key), label.trim()];
  }

  function textOf(element) {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("kbd").forEach((kbd) => kbd.remove());
    return copy.textContent;
  }

  function words(key) {
    return key.split("+").map((part) => SYMBOLS[part] ?? part.charAt(0).toUpperCase() + part.slice(1)).join(" ");
  }

  function draw([key, label]) {
    const term = document.createElement("dt");
    const kbd = document.createElement("kbd");
    kbd.textContent = key;
    term.append(kbd);
    const description = document.createElement("dd");
    description.textContent = label;
    return [term, description];
  }
})();
