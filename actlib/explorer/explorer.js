// Draws the explorers of activations in a page from the tables that actlib has put into it. Between
// two nodes [z, f, f', f''] both f and f' are cubics; see table.py. In front of this stands draw.js.
const PAD = { left: 40, top: 24, bottom: 24, between: 34 };
const LINE = 15; // of text, in pixels
const [VALUE, SLOPE] = [1, 2];
const SIDES = ["a", "b"];

// ---- Numbers

const rows = (numbers, units) => Array.from({ length: numbers.length / units.length }, (_, row) =>
  units.map((unit, i) => numbers[row * units.length + i] / unit));

const cubic = (t, a, b, c, d) => a + t * (c + t * (3 * (b - a) - 2 * c - d + t * (2 * (a - b) + c + d)));

// The value and the slope at z: at a kink, those by convention.
function at({ nodes, kinks }, z) {
  const kink = kinks.find(([place]) => Math.abs(place - z) < 5e-4);
  const there = kink ?? nodes.find(([place]) => place === z);
  if (there) return { f: there[VALUE], d: there[SLOPE], kink: Boolean(kink) };
  const i = nodes.findIndex((node, i) => i && node[0] >= z);
  const [left, right] = [nodes[i - 1], nodes[i]];
  const h = right[0] - left[0];
  const [f, d] = [VALUE, SLOPE].map((order) =>
    cubic((z - left[0]) / h, left[order], right[order], h * left[order + 1], h * right[order + 1]));
  return { f, d };
}

// No more digits than the table supports. Zero is said of what is exactly zero.
const digits = (value) => value === 0 ? "0" : minus(value.toFixed(3).replace(/^-(0\.0+)$/, "$1"));

// What equal slopes leave of a gradient, in three parts, of which the middle one is the number. Where
// the slope's error makes that uncertain, it is the most that it can be.
function verdict(slope, layers, error) {
  const through = `through ${layers} layer${layers > 1 ? "s" : ""}: `;
  if (slope === 0) return [through, "nothing", " of the gradient is left."];
  if (layers * error >= 0.05 * Math.abs(slope))
    return [through, `at most ${scientific(1.05 * (Math.abs(slope) + error) ** layers)}`, " of the gradient is left."];
  const left = Math.abs(slope) ** layers;
  const number = scientific(left);
  const turned = slope < 0 && layers % 2 ? ", its sign reversed." : ".";
  if (number === "1") return [`${through}the gradient stays `, left === 1 ? "the same" : "nearly the same", turned];
  if (left < 1) return [through, number, ` of the gradient is left${turned}`];
  return [`${through}the gradient becomes `, `${number} times`, ` as large${turned}`];
}

// ---- Curves

// Cubics in the form that SVG has for them.
const path = (nodes, order, x, y) => nodes.map((node, i) => {
  const before = nodes[i - 1];
  if (!before) return `M${x(node[0])} ${y(node[order])}`;
  const h = (node[0] - before[0]) / 3;
  if (!h) return Math.abs(node[order] - before[order]) > 1e-3 ? `M${x(node[0])} ${y(node[order])}` : "";
  return `C${x(before[0] + h)} ${y(before[order] + h * before[order + 1])}`
    + ` ${x(node[0] - h)} ${y(node[order] - h * node[order + 1])} ${x(node[0])} ${y(node[order])}`;
}).join("");

// What jumps at a kink: the values approached there that it does not take, and the one that it does.
function* dots({ nodes, kinks }, order) {
  for (const kink of kinks) {
    const sides = nodes.filter(([z]) => z === kink[0]).map((node) => node[order]);
    const open = sides.filter((side) => Math.abs(side - kink[order]) > 1e-3);
    for (const side of open) yield [kink[0], side, ""];
    if (open.length) yield [kink[0], kink[order], "filled"];
  }
}

// How numbers become heights in a panel, where there is room for all of a value or a slope, and for 0.
function scale(curves, order, height) {
  const values = [0, ...curves.flatMap(({ nodes }) => nodes.map((node) => node[order]))];
  const margin = 0.08 * (Math.max(...values) - Math.min(...values));
  const [low, high] = [Math.min(...values) - margin, Math.max(...values) + margin];
  return { low, high, y: (value) => ((high - value) / (high - low) * height).toFixed(2) };
}

// The round numbers within, about four of them.
function ticks({ low, high }) {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((step) => (high - low) / step <= 5) ?? 50;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(1)));
}

const circle = (cx, cy, r, name) => svg("circle", { cx, cy, r, class: `dot ${name}` });

// What one panel shows of one curve: in front of the rest stands what is at z.
function drawn(curve, order, z, x, y) {
  const { f, d } = at(curve, z);
  const tangent = (there) => y(f + d * (there - z));
  return [
    ...(order === VALUE ? [line(x(-99), tangent(-99), x(99), tangent(99), `tangent ${curve.side}`)] : []),
    svg("path", { d: path(curve.nodes, order, x, y), class: `curve ${curve.side}` }),
    ...[...dots(curve, order)].map(([there, value, kind]) => circle(x(there), y(value), 4, `${kind} ${curve.side}`)),
    circle(x(z), y(order === VALUE ? f : d), 6, `now filled ${curve.side}`),
  ];
}

// Each curve's name next to its right end: two that end together stand below each other.
function names(curves, order, left, y, height) {
  const labels = curves.map(({ side, title, nodes }) => {
    const words = title.split(" ");
    return { side, words, tall: words.length * LINE, middle: Number(y(nodes.at(-1)[order])) };
  }).sort((one, other) => one.middle - other.middle);
  const [upper, lower] = labels;
  const lack = lower ? (upper.tall + lower.tall) / 2 - (lower.middle - upper.middle) : 0;
  if (lack > 0) {
    upper.middle -= lack / 2;
    lower.middle += lack / 2;
  }
  const over = Math.max(...labels.map(({ middle, tall }) => middle + tall / 2 - height), 0);
  const under = Math.min(...labels.map(({ middle, tall }) => middle - tall / 2), 0);
  return labels.flatMap(({ side, words, tall, middle }) => {
    const center = middle - over - under;
    return [
      svg("path", { d: `M${left + 2} ${center}h16`, class: `curve ${side}` }),
      ...words.map((word, i) => text(left + 22, center - tall / 2 + (i + 0.8) * LINE, "start", word)),
    ];
  });
}

const longest = (curves) => Math.max(...curves.flatMap(({ title }) => title.split(" ").map((word) => word.length)));

// ---- The instrument

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const chart = find(".chart");
  const inputs = Object.fromEntries([...SIDES, "z", "depth"].map((name) => [name, find(`[name=${name}]`)]));
  const picks = { a: [], b: [] }; // which value of each parameter
  const box = { width: 0, height: 0 };
  let said = "";

  const entry = (side) => Object.hasOwn(data.functions, inputs[side].value) && data.functions[inputs[side].value];
  const title = (side) => inputs[side].selectedOptions[0].text;
  const right = (curves) => 26 + 8 * longest(curves); // what the names need

  function curve(side) {
    const { colour, params, curves } = entry(side);
    const chosen = Object.values(params).reduce((index, values, i) => index * values.length + picks[side][i], 0);
    const [nodes, kinks, saturated] = curves[chosen];
    const [z, value, slope, bend] = data.units;
    return {
      side, colour, title: title(side),
      nodes: rows(nodes, [z, value, slope, bend]), kinks: rows(kinks, [z, value, slope]), saturated: rows(saturated, [z, z]),
    };
  }
  const chosen = () => SIDES.filter(entry).map(curve);

  // A slider for a parameter, with the values that the table has.
  function slider(side, key, values, i) {
    const output = html("output", { ariaLive: "off" });
    const input = html("input", { type: "range", min: 0, max: values.length - 1, step: 1, value: picks[side][i] });
    const moved = () => {
      picks[side][i] = Number(input.value);
      output.value = minus(`${values[picks[side][i]]}`);
      input.setAttribute("aria-valuetext", output.value);
    };
    input.addEventListener("input", moved);
    moved();
    return html("div", { className: "slider" }, html("label", {}, `${title(side)}: ${key} `, input), output);
  }

  // What belongs to an activation that has just been chosen: its parameters and its formula.
  function offer(side, wanted) {
    const { params = {}, start = [] } = entry(side) || {};
    picks[side] = Object.entries(params).map(([key, values], i) => {
      const value = wanted(key);
      return value === undefined ? start[i] : near(values, value);
    });
    const sliders = Object.entries(params).map(([key, values], i) => slider(side, key, values, i));
    find(`.params [data-side=${side}]`).replaceChildren(...sliders);
    const formula = [...find(".store").children].find((child) => child.dataset.of === inputs[side].value);
    find(`.formulas [data-side=${side}]`).replaceChildren(...(formula?.cloneNode(true).childNodes ?? []));
  }

  // A view, as it stands in an address. What makes no sense there is left as it is.
  function read(address) {
    const given = new URLSearchParams(address);
    const number = (key) => numberOf(given, key);
    for (const side of SIDES) {
      const name = given.get(side) ?? (given.has("a") ? "" : inputs[side].value);
      if (Object.hasOwn(data.functions, name) || (side === "b" && !name)) inputs[side].value = name;
      offer(side, (key) => number(`${side}.${key}`) ?? number(key));
    }
    for (const key of ["z", "depth"]) inputs[key].value = number(key) ?? inputs[key].value;
  }

  function written() {
    const view = new URLSearchParams({ a: inputs.a.value });
    if (inputs.b.value) view.set("b", inputs.b.value);
    for (const key of ["z", "depth"]) view.set(key, Number(inputs[key].value));
    for (const side of SIDES) {
      Object.entries(entry(side).params ?? {}).forEach(([key, values], i) => view.set(`${side}.${key}`, values[picks[side][i]]));
    }
    return `${view}`;
  }

  // Two of one colour are not shown together: the second one is drawn in that of the words.
  function paint([one, other]) {
    root.style.setProperty("--ink-a", one.colour);
    root.style.setProperty("--ink-b", other?.colour === one.colour ? "currentColor" : other?.colour ?? "");
  }

  function draw() {
    const z = Number(inputs.z.value);
    const layers = Number(inputs.depth.value);
    find(".places .slider output").value = minus(z.toFixed(2));
    find(".places .slider + .slider output").value = layers;
    const curves = chosen();
    paint(curves);
    root.classList.toggle("alone", curves.length === 1);
    said = `At z = ${minus(z.toFixed(2))}. ${curves.map((curve) => report(curve, z, layers)).join(" ")}`;
    if (box.width) picture(curves, z);
  }

  // The numbers of one activation: into the table and the verdict, and in words.
  function report(curve, z, layers) {
    const { f, d, kink } = at(curve, z);
    const saturated = curve.saturated.some(([from, to]) => from <= z && z <= to);
    const numbers = [f, d].map(digits);
    const state = [kink && "at a kink", saturated && "saturated"].filter(Boolean).join(", ");
    const row = find(`tr[data-side=${curve.side}]`);
    row.querySelector("b").textContent = curve.title;
    row.querySelector("small").textContent = state;
    row.querySelectorAll("td").forEach((cell, i) => { cell.textContent = numbers[i]; });
    const [before, number, after] = verdict(d, layers, data.error);
    find(`.verdict[data-side=${curve.side}]`).replaceChildren(`${curve.title} ${before}`, html("b", {}, number), after);
    return `${curve.title}: f = ${numbers[0]}, f′ = ${numbers[1]}${state && `, ${state}`}; ${before}${number}${after}`;
  }

  function picture(curves, z) {
    const width = box.width - PAD.left - right(curves);
    const height = (box.height - PAD.top - PAD.between - PAD.bottom) / 2;
    const x = (z) => ((z - data.lo) / (data.hi - data.lo) * width).toFixed(2);
    show(chart, box,
      panel(curves, VALUE, PAD.top, { z, x, width, height }),
      panel(curves, SLOPE, PAD.top + height + PAD.between, { z, x, width, height }));
  }

  // One of the two charts: the values, or the slopes.
  function panel(curves, order, top, { z, x, width, height }) {
    const sized = scale(curves, order, height);
    const { y } = sized;
    const inside = svg("svg", { width, height });
    const outside = svg("g", { transform: `translate(${PAD.left} ${top})` }, inside);
    outside.append(text(0, -8, "start", order === VALUE ? "f(z)" : "f′(z), the slope"));
    for (let tick = data.lo; tick <= data.hi; tick += 2) {
      inside.append(line(x(tick), 0, x(tick), height, tick ? "grid" : "axis"));
      if (order === SLOPE) outside.append(text(x(tick), height + 18, "middle", minus(`${tick}`)));
    }
    if (order === SLOPE) outside.append(text(-30, height + 18, "middle", "z"));
    for (const tick of ticks(sized)) {
      inside.append(line(0, y(tick), width, y(tick), tick ? "grid" : "axis"));
      outside.append(text(-6, Number(y(tick)) + 4, "end", minus(`${tick}`)));
    }
    for (const { side, saturated } of curves) {
      inside.append(...saturated.map(([from, to]) => svg("rect", { x: x(from), width: x(to) - x(from), height, class: `saturated ${side}` })));
    }
    inside.append(line(x(z), 0, x(z), height, "place"), ...curves.flatMap((curve) => drawn(curve, order, z, x, y)));
    outside.append(...names(curves, order, width, y, height));
    return outside;
  }

  // A notebook has no page to link to.
  if (root.dataset.page) find(".share a").href = root.dataset.page;
  else find(".share").remove();
  const { changed } = keepsView(root, "a", { read, written, words: () => said, draw });

  root.addEventListener("input", (event) => {
    if (event.target === inputs.a || event.target === inputs.b) offer(event.target.name, () => undefined);
    changed();
  });

  // From there, the arrow keys move z.
  dragged(chart, (along) => {
    const share = (along - PAD.left) / (box.width - PAD.left - right(chosen()));
    inputs.z.value = data.lo + share * (data.hi - data.lo);
    inputs.z.focus({ preventScroll: true });
    changed();
  });

  whenSized(chart, box, draw);
}

startAll(".actlib-explorer", start);
