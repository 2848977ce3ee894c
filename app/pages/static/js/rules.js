// The rule editor: a handle moves its rule by drag or by the arrow keys and the new place is announced; a chip's
// fields stand beside it; when they close, the sentences and the trial are shown anew; each change can be undone.
// Nothing of it is needed.
(() => {
  const lists = () => [...document.querySelectorAll("[data-rules]")];
  const form = () => document.getElementById("rules-form");
  const sorted = new WeakSet();
  const before = new WeakMap();

  // Order
  function renumber(list) {
    const what = list.dataset.rules;
    [...list.children].forEach((rule, at) => {
      rule.querySelector(".ord").textContent = String(at + 1);
      rule.querySelector(".grip").setAttribute("aria-label", `Move ${what} ${at + 1}`);
    });
  }

  function announce(list, rule) {
    const places = [...list.children];
    const region = document.querySelector("[data-rules-said]");
    const what = list.dataset.rules === "route" ? "Route" : "Rule";
    if (region) region.textContent = `${what} ${places.indexOf(rule) + 1} of ${places.length}.`;
  }

  document.addEventListener("keydown", (event) => {
    const grip = event.target.closest?.("[data-rules] .grip");
    if (!grip || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const rule = grip.closest(".rule");
    if (event.key === "ArrowUp") rule.previousElementSibling?.before(rule);
    else rule.nextElementSibling?.after(rule);
    renumber(rule.parentElement);
    announce(rule.parentElement, rule);
    grip.focus();
  });
  document.addEventListener("focusout", (event) => {
    const rules = event.target.closest?.("[data-rules]");
    if (rules && event.target.matches(".grip") && isMoved(rules)) look();
  });

  // The order that the page was made with stands in the names of the entries: 0, 1, 2 or r0, r1, r2.
  function isMoved(list) {
    const name = list.dataset.rules;
    const names = [...list.querySelectorAll(`:scope > .rule input[name="${name}"]`)].map((input) => input.value);
    return names.some((value, at) => value.replace(/^r/, "") !== String(at));
  }

  function start() {
    lists().forEach((rules) => {
      if (!sorted.has(rules) && window.Sortable) {
        sorted.add(rules);
        window.Sortable.create(rules, {
          handle: ".grip",
          animation: 0,
          ghostClass: "drag",
          onEnd: (event) => { renumber(rules); announce(rules, event.item); look(); },
        });
      }
    });
    restore();
    if (form()) shown = held();
  }

  // A chip's fields: beside the chip, inside the window. That they opened is told a moment later, when something may
  // be entered already.
  document.addEventListener("beforetoggle", (event) => {
    const pop = event.target;
    if (event.newState === "open" && pop.matches?.(".pop")) before.set(pop, state(pop));
  }, true);
  document.addEventListener("toggle", (event) => {
    const pop = event.target;
    if (!pop.matches?.(".pop")) return;
    if (event.newState === "open") {
      place(pop);
      // Shown anew while open, it has the focus where it was.
      if (!pop.contains(document.activeElement)) pop.querySelector('select, input:not([type="hidden"]), .menu-a')?.focus();
    } else {
      // Fields that were shown anew while open have no word that the browser would go back to.
      const at = document.activeElement;
      if (at === document.body || pop.contains(at)) openers(pop)[0]?.focus({ preventScroll: true });
      if (before.get(pop) === state(pop)) return;
      if (!isOnSentence(pop)) added = pop.id;
      look();
    }
  }, true);
  addEventListener("resize", () => document.querySelectorAll(".pop:popover-open").forEach(place));

  // What is added from a menu has no word in the sentence yet: when the menu closes with it, its word is focused.
  let added = "";
  const isOnSentence = (pop) => [...document.querySelectorAll(`[popovertarget="${pop.id}"]`)].some((one) => !one.closest(".pop"));
  const closeAll = () => [...document.querySelectorAll(".pop:popover-open")].reverse().forEach((pop) => pop.hidePopover());

  function openers(pop) {
    return [...document.querySelectorAll(`[popovertarget="${pop.id}"]`)].filter((one) => one.checkVisibility());
  }

  function place(pop) {
    const chips = openers(pop);
    const opener = chips.find((one) => one === document.activeElement) ?? chips[0] ?? pop.closest(".rule, .card-b, .head");
    if (!opener) return;
    const at = opener.getBoundingClientRect();
    const below = innerHeight - at.bottom - 12;
    const above = at.top - 12;
    const upwards = pop.scrollHeight > below && above > below;
    pop.style.maxHeight = `${Math.max(200, upwards ? above : below)}px`;
    pop.style.left = `${Math.max(8, Math.min(at.left, innerWidth - pop.offsetWidth - 8))}px`;
    pop.style.top = `${Math.max(8, upwards ? at.top - pop.offsetHeight - 4 : Math.min(at.bottom + 4, innerHeight - pop.offsetHeight - 8))}px`;
  }

  function state(pop) {
    return [...pop.querySelectorAll("input, select, textarea")]
      .map((field) => (field.type === "checkbox" || field.type === "radio" ? `${field.checked}` : field.value))
      .join("\u0000");
  }

  document.addEventListener("click", (event) => {
    const done = event.target.closest?.("[data-pop-done]");
    if (!done) return;
    event.preventDefault();
    closeAll();
  });
  document.addEventListener("keydown", (event) => {
    const pop = event.target.closest?.(".pop");
    if (!pop || event.key !== "Enter" || !event.target.matches("input")) return;
    event.preventDefault();
    closeAll();
  });
  document.addEventListener("change", (event) => {
    const select = event.target;
    if (select.matches?.("[data-try] input, [data-try] textarea")) look();
    else if (select.matches?.("[data-try] *, [name=scope]")) lookSoon();
    else if (/-objective$|-choice$|-term$/.test(select.name ?? "") && select.closest(".pop")) lookSoon();
  });

  // Shown anew: the server says how it reads; what was open and in focus is so again. A field in focus that is
  // replaced says that it changed, in the midst of the swap: the form is no whole one then.
  function look() {
    clearTimeout(waiting);
    if (isSwapping || !form()) return;
    note();
    form().dispatchEvent(new CustomEvent("look"));
  }

  // Arrow keys walk through a list's choices, each of them a change: shown when one stays.
  const WALK_MS = 250;
  let waiting = 0;
  function lookSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(look, WALK_MS);
  }

  // Undo: what the form held before each change, for this tab, until the editor is opened anew
  const KEPT = "kept-rules-undo";
  const MOST_KEPT = 50;
  let shown = "";
  const kept = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");

  function keep(states) {
    sessionStorage.setItem(KEPT, JSON.stringify(states.slice(-MOST_KEPT)));
    document.querySelectorAll("[data-rules-undo]").forEach((button) => { button.hidden = states.length === 0; });
  }

  const isBeside = (name) => name === "csrf_token" || name.startsWith("try-");
  const entries = (beside) => [...new FormData(form())].filter(([name]) => isBeside(name) === beside);
  const held = () => new URLSearchParams(entries(false)).toString();

  function note() {
    const now = held();
    if (now !== shown) keep([...kept(), shown]);
    shown = now;
  }

  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    note();
    isSent = true;
    if (/^(up|down|remove|add)-/.test(event.submitter?.value ?? "")) keep([...kept(), shown]);
  });

  // Leaving with what is not saved: the browser asks
  let opened = "";
  let isSent = false;
  addEventListener("beforeunload", (event) => { if (form() && !isSent && held() !== opened) event.preventDefault(); });

  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-rules-undo]")) undo(); });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input[type=text], textarea");
    if (!form() || isTyping || event.key !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo();
  });

  async function undo() {
    const states = kept();
    const was = states.pop();
    if (was === undefined) return;
    const sent = new URLSearchParams(was);
    entries(true).forEach(([name, value]) => sent.append(name, value));
    sent.set("action", "look");
    const answer = await fetch(form().getAttribute("action"), { method: "POST", body: sent });
    const live = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("rules-live");
    if (!live) return;
    document.getElementById("rules-live").replaceWith(live);
    keep(states);
    start();
    document.querySelector("[data-rules-said]").textContent = "The last change is undone.";
  }

  // What was moved is called by its new place from now on: 0-value of a rule that is the second now is 1-value.
  function renamed(element, name = element?.id) {
    const rule = element?.closest?.("[data-rules] > .rule");
    const own = rule?.querySelector('input[name="rule"], input[name="route"]')?.value;
    if (!own || !name) return name;
    const place = own.replace(/\d+$/, [...rule.parentElement.children].indexOf(rule));
    return name.replace(new RegExp(`(^|-)${own}-`), `$1${place}-`);
  }

  let stood = {};
  let isSwapping = false;
  document.addEventListener("htmx:before:swap", (event) => {
    if (event.target !== form()) return;
    if (event.defaultPrevented) {  // it was behind what is entered by now
      look();
      return;
    }
    const at = document.activeElement;
    isSwapping = true;
    stood = {
      pop: renamed([...document.querySelectorAll(".pop:popover-open")].pop()),
      field: added ? "" : at?.closest?.("#rules-live") ? renamed(at) || at.getAttribute("aria-label") : "",
      opens: added || (at?.closest?.("#rules-live") ? renamed(at, at.getAttribute("popovertarget")) : ""),
      typed: at?.matches?.("input[type=text], textarea") ? at.value : undefined,
    };
  });

  function restore() {
    const live = document.getElementById("rules-live");
    const pop = document.getElementById(stood.pop || live?.dataset.open || "");
    if (pop) {
      if (live.dataset.open) pop.closest(".rule, .card")?.scrollIntoView({ block: "nearest" });
      delete live.dataset.open;
      if (!pop.matches(":popover-open")) pop.showPopover();
    }
    added = "";
    const same = (stood.field || stood.opens) && [...live.querySelectorAll("button, input, select, textarea, summary")]
      .find((one) => (stood.field ? [one.id, one.getAttribute("aria-label")].includes(stood.field)
        : one.getAttribute("popovertarget") === stood.opens && one.checkVisibility()));
    if (same) same.focus({ preventScroll: true });
    if (same && stood.typed !== undefined && stood.typed !== same.value) {
      same.value = stood.typed;
      same.addEventListener("blur", look, { once: true });  // a value set by script is no change to the browser
    }
    stood = {};
  }

  document.addEventListener("htmx:after:swap", () => { isSwapping = false; start(); });
  addEventListener("DOMContentLoaded", () => {
    start();
    if (!form()) return;
    const isAgain = "again" in form().dataset;
    keep(isAgain ? kept() : []);
    opened = isAgain ? "" : held();
  });
})();
