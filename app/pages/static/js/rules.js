// Rules in order: a handle moves its rule by drag or by the arrow keys, and the new place is announced.
(() => {
  const list = () => document.querySelector("[data-rules]");

  function renumber() {
    [...list().children].forEach((rule, at) => {
      rule.querySelector(".ord").textContent = String(at + 1);
      rule.querySelector(".grip").setAttribute("aria-label", `Move rule ${at + 1}`);
    });
  }

  function announce(rule) {
    const places = [...list().children];
    const region = document.querySelector("[data-rules-said]");
    if (region) region.textContent = `Rule ${places.indexOf(rule) + 1} of ${places.length}.`;
  }

  document.addEventListener("keydown", (event) => {
    const grip = event.target.closest?.("[data-rules] .grip");
    if (!grip || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const rule = grip.closest(".rule");
    if (event.key === "ArrowUp") rule.previousElementSibling?.before(rule);
    else rule.nextElementSibling?.after(rule);
    renumber();
    announce(rule);
    grip.focus();
  });

  function start() {
    const rules = list();
    if (!rules || rules.dataset.sorts) return;
    rules.dataset.sorts = "1";
    window.Sortable?.create(rules, {
      handle: ".grip",
      animation: 0,
      ghostClass: "drag",
      onEnd: (event) => { renumber(); announce(event.item); },
    });
  }

  document.addEventListener("htmx:after:swap", start);
  addEventListener("DOMContentLoaded", start);
})();
