// Draws the explorers of activations in a page from the tables that actlib has put into it. Between
// two nodes [z, f, f', f''] both f and f' are cubics; see table.py. In front of this stands draw.js.
const PAD = { left: 36, right: 8, top: 8, bottom: 24 };
const [VALUE, SLOPE] = [1, 2];

const html = (tag, properties, ...content) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
};

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

// A product of equal slopes, or the largest that it can be where their error makes it uncertain.
function product(slope, layers, error) {
  if (slope === 0) return "0";
  if (layers * error < 0.05 * Math.abs(slope)) return scientific(slope ** layers);
  return `≤ ${scientific(1.05 * (Math.abs(slope) + error) ** layers)}`;
}

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
    for (const side of open) yield [kink[0], side, "open"];
    if (open.length) yield [kink[0], kink[order], "filled"];
  }
}

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const chart = find(".chart");
  const inputs = Object.fromEntries(["a", "b", "z", "depth"].map((name) => [name, find(`[name=${name}]`)]));
  const picks = { a: [], b: [] };
  const box = { width: 0, height: 0 };
  const link = find(".note a");
  link.href = root.dataset.page;
  link.hidden = !root.dataset.page;
  const own = !link.hidden && link.pathname === location.pathname; // the page whose address keeps the view
  let said = "";
  let touched = false;

  const entry = (side) => Object.hasOwn(data.functions, inputs[side].value) && data.functions[inputs[side].value];

  function curve(side) {
    const { params, curves } = entry(side);
    const chosen = Object.values(params).reduce((index, values, i) => index * values.length + picks[side][i], 0);
    const [nodes, kinks, flats] = curves[chosen];
    const [z, value, slope, bend] = data.units;
    return {
      side, name: inputs[side].value,
      nodes: rows(nodes, [z, value, slope, bend]), kinks: rows(kinks, [z, value, slope]), flats: rows(flats, [z, z]),
    };
  }

  // A slider for each parameter, with the values that the table has.
  function offer(side, chosen) {
    const { params = {}, start = [] } = entry(side) || {};
    const name = inputs[side].value;
    picks[side] = [...start];
    const sliders = Object.entries(params).map(([key, values], i) => {
      const wanted = chosen(key);
      if (wanted !== undefined) picks[side][i] = near(values, wanted);
      const output = html("output", {});
      const input = html("input", { type: "range", min: 0, max: values.length - 1, step: 1, value: picks[side][i] });
      const show = () => {
        picks[side][i] = Number(input.value);
        output.value = minus(`${values[picks[side][i]]}`);
        input.setAttribute("aria-valuetext", output.value);
      };
      input.addEventListener("input", show);
      show();
      return html("div", { className: "slider" }, html("label", {}, `${name}: ${key} `, input), output);
    });
    find(`.params [data-side=${side}]`).replaceChildren(...sliders, ...(name && !sliders.length ? [html("label", {}, `${name} has no parameter`)] : []));
    const formula = name && [...find(".store").children].find((child) => child.dataset.of === name);
    find(`.formulas [data-side=${side}]`).replaceChildren(...(formula ? formula.cloneNode(true).childNodes : []));
  }

  // A view, as it stands in an address. What makes no sense there is left as it is.
  function read(text) {
    const given = new URLSearchParams(text);
    const number = (key) => numberOf(given, key);
    for (const side of ["a", "b"]) {
      const name = given.get(side) ?? (given.has("a") ? "" : inputs[side].value);
      if (Object.hasOwn(data.functions, name) || (side === "b" && !name)) inputs[side].value = name;
      offer(side, (key) => number(`${side}.${key}`) ?? number(key));
    }
    for (const key of ["z", "depth"]) inputs[key].value = number(key) ?? inputs[key].value;
    draw();
    telling.now();
  }

  function written() {
    const view = new URLSearchParams({ a: inputs.a.value });
    if (inputs.b.value) view.set("b", inputs.b.value);
    for (const key of ["z", "depth"]) view.set(key, Number(inputs[key].value));
    for (const side of ["a", "b"]) {
      Object.entries(entry(side).params ?? {}).forEach(([key, values], i) => view.set(`${side}.${key}`, values[picks[side][i]]));
    }
    return `${view}`;
  }

  const telling = settled(() => {
    find(".said").textContent = said;
    link.hash = written();
    if (own && touched) history.replaceState(null, "", link.hash);
  });

  function draw() {
    const z = Number(inputs.z.value);
    const layers = Number(inputs.depth.value);
    find(".places .slider output").value = minus(z.toFixed(2));
    find(".places .slider + .slider output").value = layers;
    const curves = ["a", "b"].filter(entry).map(curve);
    said = `At z = ${minus(z.toFixed(2))}. ` + curves.map((curve) => report(curve, z, layers)).join(" ");
    for (const part of root.querySelectorAll("[data-side=b]")) part.classList.toggle("none", curves.length < 2);
    if (box.width) picture(curves, z);
  }

  // The numbers of one activation: into the table, and in words.
  function report(curve, z, layers) {
    const { f, d, kink } = at(curve, z);
    const flat = curve.flats.some(([from, to]) => from <= z && z <= to);
    const numbers = [digits(f), digits(d), product(d, layers, data.error)];
    const row = find(`tr[data-side=${curve.side}]`);
    row.querySelector("b").textContent = curve.name;
    const state = [kink && "at a kink", flat && "flat"].filter(Boolean).join(", ");
    row.querySelector("small").textContent = state;
    row.querySelectorAll("span").forEach((cell, i) => { cell.textContent = numbers[i]; });
    return `${curve.name}: f = ${numbers[0]}, f′ = ${numbers[1]}; ${layers} layers multiply a gradient by ${numbers[2]}${state && `; ${state}`}.`;
  }

  function picture(curves, z) {
    const [width, height] = [box.width - PAD.left - PAD.right, box.height - PAD.top - PAD.bottom];
    const values = [0, ...curves.flatMap(({ nodes }) => nodes.flatMap(([, f, d]) => [f, d]))];
    const margin = 0.06 * (Math.max(...values) - Math.min(...values));
    const [low, high] = [Math.min(...values) - margin, Math.max(...values) + margin];
    const x = (z) => ((z - data.lo) / (data.hi - data.lo) * width).toFixed(2);
    const y = (value) => ((high - value) / (high - low) * height).toFixed(2);

    const inside = svg("svg", { x: PAD.left, y: PAD.top, width, height });
    const labels = svg("g", {});
    const line = (x1, y1, x2, y2, name) => inside.append(svg("line", { x1, y1, x2, y2, class: name }));
    for (let tick = Math.ceil(data.lo); tick <= data.hi; tick += 2) {
      line(x(tick), 0, x(tick), height, tick ? "grid" : "axis");
      labels.append(svg("text", { x: PAD.left + Number(x(tick)), y: box.height - 6, "text-anchor": "middle" }, minus(`${tick}`)));
    }
    const step = [0.5, 1, 2, 5].find((step) => (high - low) / step <= 8) ?? 10;
    for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
      line(0, y(tick), width, y(tick), tick ? "grid" : "axis");
      labels.append(svg("text", { x: PAD.left - 6, y: PAD.top + Number(y(tick)) + 4, "text-anchor": "end" }, minus(`${tick}`)));
    }
    for (const { side, flats } of curves) {
      for (const [from, to] of flats) inside.append(svg("rect", { x: x(from), y: 1, width: x(to) - x(from), height: height - 2, class: `flat ${side}` }));
    }
    line(x(z), 0, x(z), height, "place");
    for (const curve of curves) {
      const { f, d } = at(curve, z);
      const dot = (z, value, kind, name) => inside.append(svg("circle", { cx: x(z), cy: y(value), r: kind === "now" ? 6 : 4, class: `dot ${kind === "open" ? "" : "filled"} ${name} ${curve.side}` }));
      line(x(data.lo), y(f + d * (data.lo - z)), x(data.hi), y(f + d * (data.hi - z)), `tangent f ${curve.side}`);
      for (const [order, name] of [[SLOPE, "d"], [VALUE, "f"]]) {
        inside.append(svg("path", { d: path(curve.nodes, order, x, y), class: `curve ${name} ${curve.side}` }));
        for (const [z, value, kind] of dots(curve, order)) dot(z, value, kind, name);
        dot(z, order === VALUE ? f : d, "now", name);
      }
    }
    chart.replaceChildren(labels, inside);
  }

  const changed = () => {
    touched = true;
    draw();
    telling.soon();
  };
  root.addEventListener("input", (event) => {
    if (event.target === inputs.a || event.target === inputs.b) offer(event.target.name, () => undefined);
    changed();
  });

  // From there, the arrow keys move z.
  dragged(chart, (along) => {
    const share = (along - PAD.left) / (box.width - PAD.left - PAD.right);
    inputs.z.value = data.lo + share * (data.hi - data.lo);
    inputs.z.focus({ preventScroll: true });
    changed();
  });

  new ResizeObserver(([{ contentRect }]) => {
    Object.assign(box, { width: contentRect.width, height: contentRect.height });
    draw();
  }).observe(chart);

  read(root.dataset.state);
  if (own) {
    const come = () => location.hash.includes("=") && read(location.hash.slice(1));
    come();
    addEventListener("hashchange", () => { come(); root.scrollIntoView({ block: "nearest" }); });
  }
}

startAll(".actlib-explorer", start);
