// The network: zoom by buttons and keys, scroll by the frame, drag to move, select for figures.

const STEP = 1.25;

function zoomer(network) {
  const canvas = network.querySelector(".canvas");
  const svg = canvas.querySelector("svg");
  const width = Number(network.dataset.width);
  const height = Number(network.dataset.height);
  let scale = 1;

  function zoomTo(next) {
    const wanted = Math.min(4, Math.max(0.05, next));
    const x = (canvas.scrollLeft + canvas.clientWidth / 2) / scale;
    const y = (canvas.scrollTop + canvas.clientHeight / 2) / scale;
    scale = wanted;
    svg.style.width = `${width * scale}px`;
    svg.style.height = `${height * scale}px`;
    canvas.scrollLeft = x * scale - canvas.clientWidth / 2;
    canvas.scrollTop = y * scale - canvas.clientHeight / 2;
  }

  const fitted = () => Math.min(1, canvas.clientWidth / width, canvas.clientHeight / height);
  const ways = { in: () => scale * STEP, out: () => scale / STEP, fit: fitted };
  zoomTo(Math.min(1, Math.max(0.4, canvas.clientWidth / width)));
  canvas.scrollTop = 0;
  canvas.scrollLeft = (canvas.scrollWidth - canvas.clientWidth) / 2;
  return (way) => zoomTo(ways[way]());
}

function dragging(canvas) {
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    from = [event.clientX + canvas.scrollLeft, event.clientY + canvas.scrollTop];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    canvas.scrollLeft = from[0] - event.clientX;
    canvas.scrollTop = from[1] - event.clientY;
  });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
    canvas.addEventListener(end, () => (from = null));
  }
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function rateBars(rates) {
  const list = element("ol", undefined, "steps");
  const most = Math.max(...rates, 1e-9);
  rates.forEach((rate, step) => {
    const item = element("li", `${(100 * rate).toFixed(1)} %`);
    item.title = `step ${step + 1}`;
    item.style.setProperty("--share", `${(100 * rate) / most}%`);
    list.append(item);
  });
  return list;
}

function energies(id, node) {
  const data = DATA[id];
  const order = data ? data.nodes.indexOf(node) : -1;
  if (order < 0) return null;
  const list = element("dl");
  for (const [model, kinds] of Object.entries(data.models)) {
    const spent = Object.values(kinds).reduce((sum, values) => sum + values[order], 0);
    if (spent) list.append(element("dt", model), element("dd", `${spent.toPrecision(4)} \u00b5J`));
  }
  return list;
}

function showDetails(panel, found, energy) {
  const list = element("dl");
  for (const [name, value] of found.pairs) list.append(element("dt", name), element("dd", value));
  panel.replaceChildren(element("h4", found.title), list);
  if (found.rates.length) panel.append(element("h5", "Rate by step"), rateBars(found.rates));
  const under = energies(energy, found.node);
  if (under?.children.length) {
    const fold = element("details");
    fold.append(element("summary", "Under every energy model"), under);
    panel.append(fold);
  }
}

function operate(network) {
  const nodes = [...network.querySelectorAll(".node")];
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = DATA[network.dataset.data];
  const panel = network.querySelector(".details");
  const zoom = zoomer(network);

  function select(node) {
    for (const each of nodes) each.setAttribute("aria-pressed", each === node);
    showDetails(panel, found[node.id], network.dataset.data.replace("network", "energy"));
  }

  function goTo(node) {
    if (!node) return;
    for (const each of nodes) each.tabIndex = each === node ? 0 : -1;
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  const moves = {
    ArrowDown: (node) => byId.get(found[node.id].down[0]),
    ArrowUp: (node) => byId.get(found[node.id].up[0]),
    ArrowRight: (node) => nodes[nodes.indexOf(node) + 1],
    ArrowLeft: (node) => nodes[nodes.indexOf(node) - 1],
    Home: () => nodes[0],
    End: () => nodes[nodes.length - 1],
  };
  const zooms = { "+": "in", "=": "in", "-": "out", 0: "fit" };
  for (const node of nodes) {
    node.addEventListener("click", () => {
      goTo(node);
      select(node);
    });
    node.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter" || event.key === " ") select(node);
      else if (moves[event.key]) goTo(moves[event.key](node));
      else if (zooms[event.key]) zoom(zooms[event.key]);
      else return;
      event.preventDefault();
    });
  }
  for (const button of network.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zoom(button.dataset.zoom));
  }
  dragging(network.querySelector(".canvas"));
  const costly = byId.get(network.dataset.costly);
  if (costly) select(costly);
}

for (const network of document.querySelectorAll(".network")) operate(network);
