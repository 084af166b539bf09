// What is inside of a run: a tile for each unit, and one point's gradient on its way back.

const SPOKEN = { dead: "dead on all training points", back: "back, dead before", flat: "saturated" };
const stateOf = (unit) => Object.keys(SPOKEN).find((word) => unit[word]) ?? "";

// The tiles of a run in `box`; `choose` is told of a unit {layer, unit} that is clicked.
function tiled(box, choose) {
  let tiles = [];
  let chosen = { layer: 0, unit: 0 };

  function build(layers, units) {
    const tile = (layer, unit) => {
      const button = html("button", { type: "button", className: "tile" }, html("canvas", {}), html("span", {}));
      button.addEventListener("click", () => choose({ layer, unit }));
      return button;
    };
    tiles = Array.from({ length: layers }, (_, layer) => Array.from({ length: units }, (_, unit) => tile(layer, unit)));
    box.replaceChildren(...tiles.map((own, layer) =>
      html("div", { className: units > 8 ? "layer wide" : "layer" }, html("span", {}, `${layer + 1}`), ...own)));
  }

  // From tile to tile by arrow keys; the Tab key goes past them all.
  box.addEventListener("keydown", (event) => {
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
    const tile = tiles[chosen.layer + down]?.[chosen.unit + right];
    if (!(down || right) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    tile?.focus();
    tile?.click();
  });

  return function draw(run, now) {
    chosen = now;
    if (tiles.length !== run.units.length || tiles[0].length !== run.units[0].length) build(run.units.length, run.units[0].length);
    const { passed } = run.seen(COARSE);
    tiles.forEach((own, layer) => own.forEach((tile, k) => {
      const [canvas, word] = tile.children;
      const state = stateOf(run.units[layer][k]);
      shaded(canvas, Float64Array.from({ length: TILE ** 2 }, (_, i) => passed[layer][i * own.length + k]), TILE, 1);
      const here = layer === now.layer && k === now.unit;
      tile.tabIndex = here ? 0 : -1;
      tile.setAttribute("aria-pressed", here);
      if (tile.dataset.state === state) return;
      tile.dataset.state = state;
      tile.className = `tile ${state}`;
      word.textContent = state;
      tile.setAttribute("aria-label", `Layer ${layer + 1}, unit ${k + 1}${state && `: ${SPOKEN[state]}`}`);
    }));
  };
}

// One point's gradient along the path that carries most of it to a unit, from the output back.
function followed(root, run, row, { layer, unit }) {
  const { path, whole } = run.points.train.labels.length ? run.traced(row, layer, unit) : {};
  const known = Number.isFinite(whole) ? path : [];
  const last = run.units.length;
  const named = (at) => at.layer === last ? `output ${at.unit + 1}` : `layer ${at.layer + 1}, unit ${at.unit + 1}`;
  root.querySelector(".trace tbody").replaceChildren(...known.map((at) => {
    const factors = [at.weight, at.slope].map((factor) => factor === undefined ? "" : `× ${told(factor)}`);
    return html("tr", {}, html("th", { scope: "row" }, named(at)), ...[...factors, told(at.product)].map((words) => html("td", {}, words)));
  }));
  const count = run.units.slice(layer + 1).reduce((product, units) => product * units.length, 2);
  const closed = known.find((at) => at.slope === 0);
  root.querySelector(".unit").textContent = `layer ${layer + 1}, unit ${unit + 1}`;
  root.querySelector(".whole").textContent = !known.length ? "There is nothing to follow." : `That is the path that carries most. All ${count.toLocaleString("en")} paths together bring ${told(whole)}.`
    + (closed ? ` Nothing passes ${named(closed)}: its slope is 0 at this point.` : "");
}
