// What every page does: requests with their token, errors in their region, toasts, menus, dialogs, copying.
(() => {
  const TOAST_SECONDS = 6;
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  // Requests by htmx
  document.addEventListener("htmx:config:request", (event) => {
    event.detail.ctx.request.headers["X-CSRF-Token"] = token();
  });
  document.addEventListener("htmx:before:request", (event) => {
    document.getElementById("problems")?.replaceChildren();
    setBusy(event.detail.ctx, true);
  });
  document.addEventListener("htmx:finally:request", (event) => setBusy(event.detail.ctx, false));
  document.addEventListener("htmx:error", (event) => {
    if (!event.detail.ctx) return;
    showProblem("Kept could not be reached.", "Nothing was changed. Check the connection, then try again.");
  });

  // An answer to less than is entered by now, but for the field being typed in, would take the rest back
  const asked = new WeakMap();
  document.addEventListener("htmx:before:request", (event) => {
    if (event.target.matches?.("form[hx-sync]")) asked.set(event.target, new FormData(event.target));
  });
  document.addEventListener("htmx:before:swap", (event) => {
    if (!asked.has(event.target)) return;
    const at = document.activeElement;
    const typing = at?.matches("input[type=text], textarea") ? at.name : "";
    const rest = (data) => new URLSearchParams([...data].filter(([name]) => name !== typing)).toString();
    if (rest(asked.get(event.target)) !== rest(new FormData(event.target))) event.preventDefault();
  });

  // A region that is read again by itself leaves the focus where it was
  const looks = (one) => [one.tagName, one.getAttribute("href"), one.textContent].join();
  let stayed = "";
  document.addEventListener("htmx:before:swap", (event) => {
    const isIn = event.target.matches?.('[hx-trigger^="every"]') && event.target.contains(document.activeElement);
    stayed = isIn ? looks(document.activeElement) : "";
  });
  document.addEventListener("htmx:after:swap", () => {
    if (stayed) [...document.querySelectorAll("main :is(a, button)")].find((one) => looks(one) === stayed)?.focus({ preventScroll: true });
  });

  function setBusy(ctx, busy) {
    const region = typeof ctx?.target === "string" ? document.querySelector(ctx.target) : ctx?.target;
    if (busy) region?.setAttribute?.("aria-busy", "true");
    else region?.removeAttribute?.("aria-busy");
  }

  function showProblem(title, text) {
    const region = document.getElementById("problems");
    if (!region) return;
    const banner = document.createElement("div");
    banner.className = "banner";
    banner.dataset.s = "late";
    const words = document.createElement("div");
    const strong = document.createElement("b");
    strong.textContent = title;
    words.append(strong, ` ${text}`);
    banner.append(document.createElement("span"), words);
    region.replaceChildren(banner);
  }

  function focusFirstError() {
    const field = document.querySelector('.form-control[aria-invalid="true"], .form-select[aria-invalid="true"]');
    if (field && field.offsetParent) field.focus();
  }

  // Codes of items are offered while one types; whatever is typed may still be sent
  const codes = document.createElement("datalist");
  codes.id = "codes";
  let asking;
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.dataset?.codes) return;
    clearTimeout(asking);
    asking = setTimeout(async () => {
      const answer = await fetch(`${field.dataset.codes}?q=${encodeURIComponent(field.value)}`);
      if (!answer.ok) return;
      codes.innerHTML = await answer.text();
      document.body.append(codes);
      field.setAttribute("list", codes.id);
    }, 200);
  });

  // Toasts: six seconds, longer while looked at
  function startToast(toast) {
    if (toast.dataset.started) return;
    toast.dataset.started = "1";
    let left = TOAST_SECONDS;
    const timer = setInterval(() => {
      if (!toast.isConnected) return clearInterval(timer);
      if (toast.matches(":hover, :focus-within")) return undefined;
      left -= 1;
      if (left > 0) return undefined;
      clearInterval(timer);
      return toast.remove();
    }, 1000);
  }

  // Menus: under their button, inside the window
  document.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open" && event.target.matches?.("[data-menu]")) event.target.style.visibility = "hidden";
  }, true);
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (event.newState !== "open" || !menu.matches?.("[data-menu]")) return;
    placeMenu(menu);
    menu.style.visibility = "";
    menu.querySelector(".menu-a, input, select")?.focus();
  }, true);

  function placeMenu(menu) {
    const openers = [...document.querySelectorAll(`[popovertarget="${menu.id}"]`)];
    const opener = openers.find((element) => element.offsetParent) ?? openers[0];
    if (!opener) return;
    const at = opener.getBoundingClientRect();
    const width = Math.max(menu.offsetWidth, Math.min(at.width, 320));
    const below = at.bottom + 4 + menu.offsetHeight <= innerHeight - 8;
    menu.style.minWidth = `${width}px`;
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - menu.offsetHeight - 4)}px`;
  }

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("[data-menu]");
    if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    const items = [...menu.querySelectorAll(".menu-a")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    items[(items.indexOf(event.target) + step + items.length) % items.length]?.focus();
    event.preventDefault();
  });

  // Dialogs, dismissing, copying, reloading
  document.addEventListener("click", (event) => {
    const find = (selector) => event.target.closest(selector);
    const opener = find("[data-dialog-open]");
    if (opener) {
      opener.closest("[popover]")?.hidePopover();
      document.getElementById(opener.dataset.dialogOpen)?.showModal();
    } else if (find("[data-dialog-close]")) {
      find("dialog").close();
    } else if (event.target.matches("dialog.dialog") && isOutside(event)) {
      event.target.close();
    } else if (find("[data-dismiss]")) {
      find("[data-toast]").remove();
    } else if (find("[data-reload]")) {
      location.reload();
    } else if (find("[data-print]")) {
      window.print();
    } else if (find("[data-copy]")) {
      copy(find("[data-copy]"));
    } else if (find('[aria-disabled="true"]')) {
      event.preventDefault();
    }
  });

  function isOutside(event) {
    const box = event.target.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  }

  async function copy(button) {
    await navigator.clipboard?.writeText(button.dataset.copy);
    const use = button.querySelector("use");
    const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#check"));
    button.setAttribute("aria-label", "Copied");
    setTimeout(() => use.setAttribute("href", before), 1500);
  }

  const toasts = document.getElementById("toasts");
  if (toasts) {
    const startAll = () => toasts.querySelectorAll("[data-toast]").forEach(startToast);
    new MutationObserver(startAll).observe(toasts, { childList: true, subtree: true });
    startAll();
  }
  // The chosen one of tabs that run off is in view, with some of the next.
  document.querySelectorAll(".views [aria-current]").forEach((tab) => {
    const past = tab.getBoundingClientRect().right + 32 - tab.parentElement.getBoundingClientRect().right;
    if (past > 0) tab.parentElement.scrollLeft += past;
  });
  focusFirstError();
})();
