// Moves the labels of a map's pins off each other; a label that finds no room is left out (the table has it).
(() => {
  const overlap = (a, b) => {
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return width > 0 && height > 0 ? width * height : 0;
  };

  function places(gap) {
    const sides = [`${gap}px`, `calc(-100% - ${gap}px)`];
    const around = sides.flatMap((dx) => [0, -12, 12].map((dy) => [dx, dy]));
    return [...around.filter(([, dy]) => dy === 0), ["-50%", gap + 9], ["-50%", -gap - 9], ...around.filter(([, dy]) => dy !== 0)];
  }

  function arrange(map) {
    const frame = map.getBoundingClientRect();
    if (frame.width === 0) return;
    const taken = [...map.querySelectorAll(".pin")].map((pin) => pin.getBoundingClientRect());
    map.querySelectorAll(".pin-l").forEach((label) => {
      label.hidden = false;
      if (getComputedStyle(label).display === "none") return;
      const gap = Number(label.dataset.size) / 2 + 5;
      const fits = places(gap).some(([dx, dy]) => {
        label.style.setProperty("--dx", dx);
        label.style.marginTop = `${dy}px`;
        const box = label.getBoundingClientRect();
        if (box.left < frame.left - 8 || box.right > frame.right + 8) return false;
        if (taken.some((other) => overlap(box, other) > 4)) return false;
        taken.push(box);
        return true;
      });
      label.hidden = !fits;
    });
  }

  const arrangeAll = () => document.querySelectorAll("[data-map]").forEach(arrange);
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => arrange(entry.target)));
  const watchAll = () => document.querySelectorAll("[data-map]").forEach((map) => watch.observe(map));
  document.addEventListener("htmx:after:swap", () => { watchAll(); arrangeAll(); });
  document.fonts.ready.then(() => { watchAll(); arrangeAll(); });
})();
