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
    const slanted = ["-15%", "-85%"].flatMap((dx) => stacked.map(([, dy]) => [dx, dy]));
    const shifted = sides.flatMap((dx) => [[dx, -12], [dx, 12], [dx, -26], [dx, 26]]);
    return aboveFirst
      ? [...stacked, ...beside, ...slanted, ...shifted]
      : [...beside, ...shifted, ...stacked, ...slanted];
  }

  // Small boxes along an arc, so that labels keep off it where they can.
  function along(arc) {
    const length = arc.getTotalLength();
    const toScreen = arc.getScreenCTM();
    const steps = Math.ceil((length * toScreen.a) / 8);
    return Array.from({ length: steps }, (_, at) => {
      const { x, y } = arc.getPointAtLength((length * at) / steps).matrixTransform(toScreen);
      return new DOMRect(x - 2, y - 2, 4, 4);
    });
  }

  function arrange(map) {
    const frame = map.getBoundingClientRect();
    if (frame.width === 0) return;
    const arcs = [...map.querySelectorAll("svg path[stroke]")];
    const hasArcs = arcs.length > 0;
    const boxes = (selector) => [...map.querySelectorAll(selector)].map((pin) => pin.getBoundingClientRect());
    const taken = boxes(".pin:not([data-minor])");
    const minor = [...boxes(".pin[data-minor]"), ...arcs.flatMap(along)];
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
      const note = label.querySelector(".n");
      const find = (spots, isShort) => {
        if (note) note.hidden = isShort;
        let best = null;
        for (const spot of spots) {
          const box = put(spot);
          if (box.left < frame.left - 8 || box.right > frame.right + 8) continue;
          if (taken.some((other) => overlap(box, other) > 4)) continue;
          const covered = minor.reduce((area, pin) => area + overlap(box, pin), 0);
          if (best === null || covered < best.covered) best = { spot, isShort, covered };
          if (covered <= 4) break;
        }
        return best;
      };
      const spots = places(gap, leftFirst, label.classList.contains("dest"));
      let best = find(spots, false);
      // The note below a name gives way before the name covers a place, or is left out.
      if (note && !(best?.covered <= 4)) best = find(spots, true) ?? best;
      // The name of a place that matters may touch one that does not; that of a chosen one may cover it.
      const most = label.classList.contains("off") ? 4 : hasArcs ? Infinity : 40;
      const fits = best !== null && best.covered <= most;
      if (fits) {
        if (note) note.hidden = best.isShort;
        taken.push(put(best.spot));
      }
      label.hidden = !fits;
    });
  }

  const arrangeAll = () => document.querySelectorAll("[data-map]").forEach(arrange);
  const watch = new ResizeObserver((entries) => entries.forEach((entry) => arrange(entry.target)));
  const watchAll = () => document.querySelectorAll("[data-map]").forEach((map) => watch.observe(map));
  document.addEventListener("htmx:after:swap", () => { watchAll(); arrangeAll(); });
  document.fonts.ready.then(() => { watchAll(); arrangeAll(); });
})();
