// Rows picked for the bulk bar: all on the page, one by one, or a run with Shift.
(() => {
  let last = null;
  const boxes = () => [...document.querySelectorAll("input[data-select]")];

  function show() {
    const all = boxes();
    const picked = all.filter((box) => box.checked);
    all.forEach((box) => {
      const row = box.closest("tr");
      if (box.checked) row?.setAttribute("aria-selected", "true");
      else row?.removeAttribute("aria-selected");
    });
    document.querySelectorAll("[data-bulk]").forEach((bar) => {
      bar.hidden = picked.length === 0;
      bar.querySelector("[data-bulk-count]").textContent = String(picked.length);
    });
    document.querySelectorAll("[data-select-all]").forEach((box) => {
      box.checked = all.length > 0 && picked.length === all.length;
      box.indeterminate = picked.length > 0 && picked.length < all.length;
    });
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("input[data-select]");
    if (box) {
      const all = boxes();
      if (event.shiftKey && last && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
        all.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
      }
      last = box;
    } else if (event.target.closest?.("[data-select-all]")) {
      boxes().forEach((other) => { other.checked = event.target.checked; });
    } else if (event.target.closest?.("[data-bulk-clear]")) {
      boxes().forEach((other) => { other.checked = false; });
    } else return;
    show();
  });
  document.addEventListener("htmx:after:swap", show);
  addEventListener("pageshow", show); // a browser may restore checked boxes on the way back
  show();
})();
