// Shows recorded trainings epoch by epoch; recording.py says what the page's table has. In front of
// this stands draw.js.
const PAD = { left: 48, right: 10, top: 8, bottom: 40 };
const COLUMNS = 8; // of a layer's units
const FRAME = 10; // the size of a tile, with the space around it
const PACE = 500; // milliseconds from epoch to epoch
const MARKS = ["alive", "saturated", "dead"]; // which are 0, 1 and 2 in the table

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const count = (states, mark) => [...states].filter((state) => MARKS[state] === mark).length;

// What is seen of a recording at an epoch, in numbers.
function seen(run, epoch) {
  const layers = run.layers.map(({ states, bars, died, back }) => ({
    states: states[epoch],
    before: states[Math.max(epoch - 1, 0)],
    bars: bars[epoch],
    died: epoch ? died[epoch] : 0,
    back: back[epoch],
    ...Object.fromEntries(MARKS.map((mark) => [mark, count(states[epoch], mark)])),
  }));
  return {
    layers,
    right: run.right[epoch] / run.tested,
    dead: layers.reduce((total, layer) => total + layer.dead, 0),
    units: layers.reduce((total, layer) => total + layer.states.length, 0),
    report: run.reports[epoch].map((line) => line.map((piece) => run.pieces[piece]).join(". ")),
  };
}

const square = (x, y, height) => `M${x + 1} ${y + 9}v${-height}h8v${height}z`;
const HEIGHTS = { alive: 8, saturated: 4 };

// Tiles side by side: full if a unit is alive, half if it is saturated, crossed if it is dead. All that
// look the same are one path, as a page draws few things faster than many.
function tiled(marks, changed) {
  const paths = { fill: "", frame: "", cross: "", changed: "" };
  marks.forEach((mark, i) => {
    const [x, y] = [i % COLUMNS * FRAME, Math.floor(i / COLUMNS) * FRAME];
    paths[changed[i] ? "changed" : "frame"] += square(x, y, 8);
    if (mark in HEIGHTS) paths.fill += square(x, y, HEIGHTS[mark]);
    if (mark === "dead") paths.cross += `M${x + 1} ${y + 1}l8 8m-8 0l8 -8`;
  });
  return Object.entries(paths).map(([name, d]) => svg("path", { d, class: name }));
}

function tiles(chart, { states, before, ...layer }) {
  const marks = [...states].map((state) => MARKS[state]);
  const changed = marks.map((mark, i) => (mark === "dead") !== (MARKS[before[i]] === "dead"));
  chart.setAttribute("viewBox", `0 0 ${COLUMNS * FRAME} ${states.length / COLUMNS * FRAME}`);
  chart.setAttribute("aria-label", `Units: ${MARKS.map((mark) => `${layer[mark]} ${mark}`).join(", ")}`);
  chart.replaceChildren(...tiled(marks, changed));
}

// Bars of pre-activations, from the edge below a bar to the one above it.
function histogram(chart, box, bars, edges) {
  const total = bars.reduce((sum, count) => sum + count, 0);
  const most = Math.max(...bars);
  const above = bars.reduce((sum, count, i) => edges[i - 1] >= 0 ? sum + count : sum, 0);
  chart.setAttribute("aria-label", `Histogram of the pre-activations: ${percent(above / total)} are above 0`);
  if (!box.width) return;
  const [bottom, wide] = [box.height - 20, box.width / bars.length];
  const x = (edge) => (edge - edges[0] + 1) * wide;
  show(chart, box,
    ...bars.map((count, i) => {
      const height = count / most * (bottom - 20);
      return svg("rect", { x: (i * wide).toFixed(2), y: (bottom - height).toFixed(2), width: (0.9 * wide).toFixed(2), height: height.toFixed(2), class: edges[i - 1] >= 0 ? "above" : "below" });
    }),
    line(0, bottom, box.width, bottom, "axis"),
    line(x(0), 18, x(0), bottom, "place"),
    text(box.width, 13, "end", `z > 0: ${percent(above / total)}`),
    text(0, box.height - 4, "start", minus(`${edges[0]}`)),
    text(x(0), box.height - 4, "middle", "0"),
    text(box.width, box.height - 4, "end", `${edges.at(-1)}`));
}

// A line of the report, which may name a place in the book.
function item(words) {
  const made = document.createElement("li");
  made.append(...words.split(/(\w+\.html#[\w-]+)/).map((part, i) => {
    const link = document.createElement("a");
    link.textContent = link.href = part;
    return i % 2 ? link : part;
  }));
  return made;
}

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const inputs = Object.fromEntries(["run", "epoch"].map((name) => [name, find(`[name=${name}]`)]));
  const buttons = Object.fromEntries(["back", "next", "play"].map((name) => [name, find(`[name=${name}]`)]));
  const chart = find(".chart");
  const box = { width: 0, height: 0 };
  const layers = [...root.querySelectorAll(".layer")].map((layer) => ({
    counts: [...layer.querySelectorAll(".counts span")],
    tiles: layer.querySelector(".tiles"),
    bars: layer.querySelector(".bars"),
    box: { width: 0, height: 0 },
  }));
  const last = Number(inputs.epoch.max);
  let playing;
  let said = "";

  const epoch = () => Number(inputs.epoch.value);
  const run = () => data[inputs.run.value];

  function read(given) {
    pause();
    const wanted = new URLSearchParams(given);
    if (Object.hasOwn(data, wanted.get("run"))) inputs.run.value = wanted.get("run");
    inputs.epoch.value = numberOf(wanted, "epoch") ?? inputs.epoch.value;
  }

  const written = () => `${new URLSearchParams({ run: inputs.run.value, epoch: epoch() })}`;

  function draw() {
    const now = seen(run(), epoch());
    const place = `${epoch()} of ${last}`;
    find(".slider output").value = place;
    inputs.epoch.setAttribute("aria-valuetext", place);
    // Not disabled, or who has pressed one to the end would lose the focus.
    buttons.back.setAttribute("aria-disabled", epoch() === 0);
    buttons.next.setAttribute("aria-disabled", epoch() === last);
    find("[data-told=right]").textContent = percent(now.right);
    find("[data-told=dead]").textContent = `${now.dead} of ${now.units}`;
    find(".lines").replaceChildren(...now.report.map(item));
    now.layers.forEach((layer, i) => {
      const [marks, changes] = layers[i].counts;
      marks.textContent = `${layer.dead} dead, ${layer.saturated} saturated`;
      changes.textContent = epoch() ? `${layer.died} just died, ${layer.back} came back` : "before training";
      tiles(layers[i].tiles, layer);
      histogram(layers[i].bars, layers[i].box, layer.bars, run().edges);
    });
    said = `Epoch ${place}: ${percent(now.right)} of the test images right, ${now.dead} of ${now.units} units dead. `
      + now.layers.map((layer, i) => `Layer ${i + 1}: ${layers[i].counts.map((span) => span.textContent).join(", ")}.`).join(" ");
    if (box.width) curves();
  }

  // The curves of a recording, which are the same at each epoch.
  const kept = {};
  const whole = (name) => kept[name] ??= {
    right: data[name].right.map((right) => right / data[name].tested),
    lost: data[name].right.map((_, epoch) => seen(data[name], epoch)).map(({ dead, units }) => dead / units),
  };

  function curves() {
    const at = plane(box, PAD, [0, last], [0, 1]);
    show(chart, box,
      ...at.up([0, 0.5, 1].map((share) => [share, `${100 * share}%`])),
      ...at.across([0, 10, 20, 30, 40].map((epoch) => [epoch, `${epoch}`])),
      at.below("epoch"),
      at.upright(epoch(), "place"),
      ...Object.entries(whole(inputs.run.value)).flatMap(([name, shares]) => [
        at.path(shares.map((share, epoch) => [epoch, share]), `curve ${name}`),
        at.dot(epoch(), shares[epoch()], 5, name),
      ]));
  }

  const { changed } = keepsView(root, "run", { read, written, words: () => said, draw });

  // While it plays, nothing is told, nor kept in the address.
  function pause() {
    if (!playing) return;
    clearInterval(playing);
    playing = undefined;
    buttons.play.textContent = "Play";
    changed();
  }

  function play() {
    if (epoch() === last) inputs.epoch.value = 0;
    buttons.play.textContent = "Pause";
    draw();
    playing = setInterval(() => {
      inputs.epoch.value = epoch() + 1;
      if (epoch() === last) pause();
      else draw();
    }, PACE);
  }

  const step = (by) => {
    pause();
    inputs.epoch.value = epoch() + by;
    changed();
  };

  buttons.back.addEventListener("click", () => step(-1));
  buttons.next.addEventListener("click", () => step(1));
  buttons.play.addEventListener("click", () => playing ? pause() : play());
  root.addEventListener("input", () => {
    pause();
    changed();
  });
  matchMedia("(prefers-reduced-motion: reduce)").addEventListener("change", pause);
  document.addEventListener("visibilitychange", () => document.hidden && pause());
  new IntersectionObserver(([{ isIntersecting }]) => isIntersecting || pause()).observe(root);

  // From where it is dragged to, the arrow keys move the epoch.
  dragged(chart, (along) => {
    pause();
    inputs.epoch.value = Math.round((along - PAD.left) / (box.width - PAD.left - PAD.right) * last);
    inputs.epoch.focus({ preventScroll: true });
    changed();
  });

  for (const key of root.querySelectorAll(".tile")) {
    key.append(...tiled([key.dataset.mark], [!key.dataset.mark]));
  }
  for (const layer of layers) whenSized(layer.bars, layer.box, draw);
  whenSized(chart, box, draw);
}

startAll(".units", start);
