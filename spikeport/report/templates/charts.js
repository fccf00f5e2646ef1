// Charts by Vega-Lite: drawn when they come into view, the rest when there is time; the chosen
// energy model decides the rows of those that have none of their own.

const chooser = document.getElementById("energy-model");
// By figure: the promise of its view.
const drawn = new Map();

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

function draw(figure) {
  if (!drawn.has(figure.id)) drawn.set(figure.id, embed(figure));
  return drawn.get(figure.id);
}

async function embed(figure) {
  const spec = SPECS[figure.id];
  const id = figure.dataset.rows;
  const model = id && chosenModel(id);
  if (id) {
    const rows = energyRows(id, model);
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
  if (!performance.getEntriesByName("first_chart").length) performance.mark("first_chart");
  if (!id || model === chosenModel(id)) return view;
  // Another model was chosen meanwhile.
  view.finalize();
  return embed(figure);
}

async function tellAndDraw() {
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
    if (!drawn.has(figure.id)) continue;
    (await drawn.get(figure.id)).finalize();
    drawn.delete(figure.id);
    await draw(figure);
  }
}

// One switch after the other: two at once would draw into the same place.
let switched = Promise.resolve();

function showModel() {
  switched = switched.then(tellAndDraw);
  return switched;
}

const figures = [...document.querySelectorAll(".chart")];

async function drawAll() {
  for (const figure of figures) {
    await new Promise((next) => (window.requestIdleCallback || setTimeout)(next));
    await draw(figure);
  }
  performance.mark("all_charts");
  document.documentElement.dataset.ready = "yes";
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
});
for (const figure of figures) watcher.observe(figure);
chooser?.addEventListener("change", showModel);
showModel().then(drawAll);
