// Moves the labels of a map's pins off each other; a label that finds no room is left out (the table has it).
(() => {
  const overlap = (a, b) => {
    const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    return width > 0 && height > 0 ? width * height : 0;
  };

  // Beside the pin first (inland of it, where arcs leave the room), then above or below.
  function places(gap, leftFirst, aboveFirst) {
    const right = `${gap}px`;
    const left = `calc(-100% - ${gap}px)`;
    const sides = leftFirst ? [left, right] : [right, left];
    const beside = sides.map((dx) => [dx, 0]);
    const stacked = [["-50%", -gap - 9], ["-50%", gap + 11]];
    const shifted = sides.flatMap((dx) => [[dx, -12], [dx, 12], [dx, -26], [dx, 26]]);
    return aboveFirst ? [...stacked, ...beside, ...shifted] : [...beside, ...shifted, ...stacked];
  }

  function arrange(map) {
    const frame = map.getBoundingClientRect();
    if (frame.width === 0) return;
    const hasArcs = map.querySelector("svg path[stroke]") !== null;
    const boxes = (selector) => [...map.querySelectorAll(selector)].map((pin) => pin.getBoundingClientRect());
    const taken = boxes(".pin:not([data-minor])");
    const minor = boxes(".pin[data-minor]");
    map.querySelectorAll(".pin-l").forEach((label) => {
      label.hidden = false;
      if (getComputedStyle(label).display === "none") return;
      const gap = Number(label.dataset.size) / 2 + 5;
      const leftFirst = !hasArcs && parseFloat(label.style.left) > 55;
      const put = ([dx, dy]) => {
        label.style.setProperty("--dx", dx);
        label.style.marginTop = `${dy}px`;
        return label.getBoundingClientRect();
      };
      let best = null;
      for (const spot of places(gap, leftFirst, label.classList.contains("dest"))) {
        const box = put(spot);
        if (box.left < frame.left - 8 || box.right > frame.right + 8) continue;
        if (taken.some((other) => overlap(box, other) > 4)) continue;
        const covered = minor.reduce((area, pin) => area + overlap(box, pin), 0);
        if (best === null || covered < best.covered) best = { spot, covered };
        if (covered <= 4) break;
      }
      // The name of a place that matters may touch one that does not; that of a chosen one may cover it.
      const most = label.classList.contains("off") ? 4 : hasArcs ? Infinity : 40;
      const fits = best !== null && best.covered <= most;
      if (fits) taken.push(put(best.spot));
      label.hidden = !fits;
    });
  }

  const arrangeAll = () => document.querySelectorAll("[data-map]").forEach(arrange);
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => arrange(entry.target)));
  const watchAll = () => document.querySelectorAll("[data-map]").forEach((map) => watch.observe(map));
  document.addEventListener("htmx:after:swap", () => { watchAll(); arrangeAll(); });
  document.fonts.ready.then(() => { watchAll(); arrangeAll(); });
})();
