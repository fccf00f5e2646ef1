// Charts by Vega-Lite: drawn when they come into view, the rest when there is time; the chosen
// energy model decides the rows of those that have none of their own.

const chooser = document.getElementById("energy-model");
const views = new Map();

function energyRows(id, model) {
  const { layers, models } = DATA[id];
  const rows = [];
  for (const [kind, values] of Object.entries(models[model])) {
    values.forEach((uJ, order) => {
      if (uJ) rows.push({ layer: layers[order], order, kind, uJ });
    });
  }
  return rows;
}

function chosenModel(id) {
  return chooser ? chooser.value : Object.keys(DATA[id].models)[0];
}

async function draw(figure) {
  if (views.has(figure.id)) return;
  views.set(figure.id, null);
  const spec = SPECS[figure.id];
  const id = figure.dataset.rows;
  if (id) {
    const rows = energyRows(id, chosenModel(id));
    spec.datasets = { rows };
    spec.height = spec.usermeta.row * Math.max(1, new Set(rows.map((row) => row.order)).size);
  }
  const options = {
    renderer: "svg",
    actions: false,
    // Expressions are interpreted: the page's policy lets nothing be compiled at run time.
    ast: true,
    tooltip: { disableDefaultStyle: true },
  };
  const { view } = await vegaEmbed(figure.querySelector(".plot"), spec, options);
  views.set(figure.id, view);
}

async function showModel() {
  for (const told of document.querySelectorAll("[data-told]")) {
    const found = DATA[told.dataset.told].told[chosenModel(told.dataset.told)];
    const strong = document.createElement("strong");
    strong.textContent = found.energy;
    const ratio = found.ratio && `, ${found.ratio} of the same network without spikes`;
    told.replaceChildren(
      strong,
      ` per sample under ${found.id}${ratio}; ${found.unverified}. Leaves out: ${found.excludes}.`,
    );
  }
  for (const figure of document.querySelectorAll(".chart[data-rows]")) {
    const view = views.get(figure.id);
    if (!view) continue;
    view.finalize();
    views.delete(figure.id);
    await draw(figure);
  }
}

const figures = [...document.querySelectorAll(".chart")];

async function drawAll() {
  for (const figure of figures) {
    await new Promise((next) => (window.requestIdleCallback || setTimeout)(next));
    await draw(figure);
  }
  await showModel();
  document.documentElement.dataset.ready = "yes";
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
});
for (const figure of figures) watcher.observe(figure);
chooser?.addEventListener("change", showModel);
showModel().then(drawAll);
