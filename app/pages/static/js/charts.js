// Charts with an axis: <canvas data-chart='{...}'> as written by the macro `chart`. Colors come from the tokens.
(() => {
  const drawn = new Map();
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function formatter(unit) {
    if (unit === "percent") return (value) => `${Math.round(value * 1000) / 10}%`;
    if (unit.startsWith("money:")) {
      const currency = unit.slice(6);
      const form = new Intl.NumberFormat("en-US", { style: "currency", currency, maximumFractionDigits: 2 });
      const whole = new Intl.NumberFormat("en-US", { style: "currency", currency, maximumFractionDigits: 0 });
      const minor = 10 ** form.resolvedOptions().maximumFractionDigits;
      return (value, axis) => (axis ? whole : form).format(value / minor).replace("-", "−");
    }
    const form = new Intl.NumberFormat("en-US");
    return (value) => form.format(value).replace("-", "−");
  }

  function datasets(config) {
    const last = config.labels.length - 1;
    const sets = config.series.map((line, index) => {
      const color = token(line.color ?? `c${index + 1}`);
      const common = { label: line.name, data: line.values, order: 1 };
      if (config.kind === "line" || config.kind === "steps") {
        return { ...common, type: "line", borderColor: color, backgroundColor: color, borderWidth: 2, pointRadius: 0,
          pointHitRadius: 12, stepped: config.kind === "steps" ? "before" : false };
      }
      const fill = config.labels.map((_, at) => (config.soFar && at === last ? `${color}99` : color));
      return { ...common, type: "bar", backgroundColor: fill, borderColor: token("surface"), borderWidth: { top: 1 },
        stack: config.kind === "stacked" ? "all" : undefined, barPercentage: 0.82, categoryPercentage: 0.92, maxBarThickness: 56 };
    });
    if (config.compare) {
      sets.unshift({ type: "line", label: config.compare.name, data: config.compare.values, borderColor: token("ink-3"),
        borderWidth: 1.5, borderDash: [4, 3], pointRadius: 0, stepped: "middle", order: 0 });
    }
    return sets;
  }

  function draw(canvas) {
    const config = JSON.parse(canvas.dataset.chart);
    const say = formatter(config.unit);
    const labels = config.labels.slice();
    if (config.soFar) labels[labels.length - 1] = [labels.at(-1), "so far"];
    const stacked = config.kind === "stacked";
    drawn.get(canvas)?.destroy();
    Chart.defaults.font.family = "Figtree, system-ui, sans-serif";
    Chart.defaults.font.size = 12;
    Chart.defaults.color = token("ink-2");
    drawn.set(canvas, new Chart(canvas, {
      data: { labels, datasets: datasets(config) },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: { backgroundColor: token("ink"), titleColor: token("paper"), bodyColor: token("paper"), padding: 10,
            boxWidth: 8, boxHeight: 8, cornerRadius: 6,
            callbacks: { label: (item) => ` ${item.dataset.label}: ${item.raw === null ? "–" : say(item.raw)}` } },
        },
        scales: {
          x: { stacked, grid: { display: false }, border: { color: token("line") }, ticks: { maxRotation: 0, autoSkipPadding: 12 } },
          y: { stacked, beginAtZero: config.kind !== "line", border: { display: false }, grid: { color: token("grid") },
            ticks: { maxTicksLimit: 5, padding: 6, callback: (value) => say(value, true) } },
        },
      },
    }));
  }

  function drawAll() {
    drawn.forEach((chart, canvas) => {
      if (canvas.isConnected) return;
      chart.destroy();
      drawn.delete(canvas);
    });
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  document.addEventListener("kept:theme", drawAll);
  document.addEventListener("htmx:after:swap", drawAll);
  document.fonts.ready.then(drawAll);
})();
