// Draws the instrument of the page about depth from the table in the page; depths.py says what it
// has. In front of this stand draw.js, simulation.js and depths-network.js.
const PAD = { left: 50, right: 14, top: 8, bottom: 40 };
const SIZES = ["gain", "width", "depth"];
const SECONDS = 2; // that a gradient takes to the first layer
const HIGHEST = 4; // bars above that leave the picture
// Where what is measured comes from, above the picture and in the table.
const THEORY = ["by theory alone", "not measured"];
const ONE = ["in this one network", "one network"];
const MEAN = ["in 20 networks", "20 networks"];

const sums = (steps) => {
  let sum = 0;
  return steps.map((step) => sum += step);
};

// Where a logarithmic axis has lines, and what is written there.
function ticks(low, high) {
  const step = [1, 2, 5, 10, 20, 50].find((step) => (high - low) / step <= 6);
  const fine = high - low <= 2;
  const found = [];
  for (let decade = Math.floor(low / step) * step; decade <= high; decade += step) {
    for (const digit of fine ? [1, 2, 5] : [1]) {
      const plain = `${Number((digit * 10 ** decade).toPrecision(1))}`;
      const short = digit === 1 ? power(decade) : "";
      found.push([decade + Math.log10(digit), fine && Math.abs(decade) <= 2 ? plain : short]);
    }
  }
  return found.filter(([place]) => place >= low && place <= high);
}

// The layers that have their number below them.
const marked = (depth) => {
  const step = depth > 20 ? 10 : 5;
  return depth > 5 ? [1, ...Array.from({ length: depth / step }, (_, i) => step * (i + 1))] : [1, 2, 3, 4, 5];
};

// Heights for words at these heights, in the same order, each at least a line above the next lower one.
function apart(heights, line = 16) {
  const order = heights.map((_, i) => i).sort((a, b) => heights[b] - heights[a]);
  const found = [];
  let lowest = Infinity;
  for (const i of order) {
    found[i] = Math.min(heights[i], lowest);
    lowest = found[i] - line;
  }
  return found;
}

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const choices = { ...data, depth: [...data.depth, ...data.deeper] };
  const strip = find(".strip");
  const charts = [...root.querySelectorAll(".chart:not(.strip)")];
  const rows = [...root.querySelectorAll("tbody tr")];
  const inputs = Object.fromEntries(["f", ...SIZES, "layer"].map((name) => [name, find(`[name=${name}]`)]));
  const buttons = Object.fromEntries([...root.querySelectorAll(".actions button")].map((button) => [button.name, button]));
  const [box, long] = [{ width: 0, height: 0 }, { width: 0, height: 0 }];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const made = new Map();
  let kept = []; // settings of activation, gain and width, to be compared with
  let network = 1; // the seed of the one network
  let travelling = 0;
  let awaited = false; // whether networks are still to be made
  let said = "";

  const size = (name) => choices[name][inputs[name].value];
  const logs = (coded) => sums(sums(coded)).map((whole) => whole / data.unit);
  const setting = () => ({ f: inputs.f.value, gain: size("gain"), width: size("width") });
  const isOne = ({ width }) => size("depth") > data.depth.at(-1) && width <= data.widest;

  // By what the network of a setting with the present depth is found again.
  const keyOf = (chosen) => [...Object.values(chosen), size("depth"), network].join();

  // Whether all networks that are shown are made. So that the page is never busy for long, a frame
  // draws one's random numbers or passes them through it.
  function ready() {
    if (awaited) return false;
    const lacking = () => [setting(), ...kept].find((chosen) => isOne(chosen) && !made.has(keyOf(chosen)));
    const next = lacking();
    if (next) {
      const sizes = { ...next, gain: data.exact[data.gain.indexOf(next.gain)], depth: size("depth") };
      const { fresh } = beginning(network, sizes.width, sizes.depth + 1);
      if (!fresh) made.set(keyOf(next), oneNetwork(next.f, sizes, network));
    }
    if (!lacking()) return true;
    awaited = true;
    said = ""; // until there are numbers to tell
    requestAnimationFrame(() => {
      awaited = false;
      draw();
      telling.soon();
    });
    return false;
  }

  // What is measured of a setting, as logarithms to base 10, with the factor per layer and its bounds.
  function measured(chosen) {
    const depth = size("depth");
    const widths = data.functions[chosen.f][data.gain.indexOf(chosen.gain)].at(-1);
    const [variances, gradients, factors] = widths[data.width.indexOf(chosen.width)];
    const place = data.depth.indexOf(depth);
    if (place >= 0) {
      const found = factors[place].map((whole) => whole / data.unit);
      return { curves: [logs(variances).slice(0, depth), logs(gradients[place])], factors: found, source: MEAN };
    }
    if (!isOne(chosen)) return { curves: [], factors: [], source: THEORY };
    const found = made.get(keyOf(chosen));
    return { curves: [found.variances, found.gradients], factors: [10 ** (found.gradients[0] / (depth - 1))], source: ONE };
  }

  // The same by theory.
  function expected({ f, gain }) {
    const [variances, passed, factors] = data.functions[f][data.gain.indexOf(gain)];
    const depth = size("depth");
    const before = logs(passed).slice(0, depth);
    return {
      curves: [logs(variances).slice(0, depth), before.map((log) => before[depth - 1] - log)],
      factor: factors[inputs.depth.value] / data.unit,
    };
  }

  function view() {
    const [found, theory] = [measured(setting()), expected(setting())];
    return {
      ...found,
      curves: theory.curves.map((curve, i) => ({ measured: found.curves[i], theory: curve })),
      factors: [...found.factors, theory.factor].map((factor) => factor.toFixed(3)),
      ghosts: kept.map((chosen) => ({
        name: named(chosen),
        logs: measured(chosen).curves[1] ?? expected(chosen).curves[1],
      })),
    };
  }

  const titled = (f) => [...inputs.f.options].find((option) => option.value === f).text;
  const named = ({ f, gain, width }) => `${titled(f)}, gain ${gain}${width === size("width") ? "" : `, width ${width}`}`;
  const same = (one, other) => Object.keys(one).every((key) => one[key] === other[key]);

  // A view, as it stands in an address. What makes no sense there is left as it is, and so are the
  // curves that are kept, if it has none.
  function read(text) {
    stop();
    const given = new URLSearchParams(text);
    if (Object.hasOwn(data.functions, given.get("f"))) inputs.f.value = given.get("f");
    for (const name of SIZES) {
      const wanted = numberOf(given, name);
      if (wanted !== undefined) inputs[name].value = near(choices[name], wanted);
    }
    inputs.layer.max = size("depth");
    inputs.layer.value = numberOf(given, "layer") ?? inputs.layer.value;
    const seed = numberOf(given, "network");
    network = Number.isInteger(seed) && seed > 0 && seed < 1000 ? seed : 1;
    if (given.has("kept")) kept = given.getAll("kept").slice(0, data.kept).map(parsed).filter(Boolean);
  }

  function parsed(text) {
    const [f, gain, width] = text.split("-").map((part, i) => i ? Number(part) : part);
    const known = Object.hasOwn(data.functions, f) && data.gain.includes(gain) && data.width.includes(width);
    return known && { f, gain, width };
  }

  const written = () => new URLSearchParams([
    ["f", inputs.f.value], ...SIZES.map((name) => [name, size(name)]), ["layer", inputs.layer.value],
    ...(isOne(setting()) && network > 1 ? [["network", network]] : []),
    ...kept.map(({ f, gain, width }) => ["kept", [f, gain, width].join("-")]),
  ]);

  function draw() {
    inputs.layer.max = size("depth");
    for (const name of [...SIZES, "layer"]) {
      const text = name === "layer" ? `${inputs.layer.value} of ${size("depth")}` : `${size(name)}`;
      inputs[name].closest(".slider").querySelector("output").value = text;
      inputs[name].setAttribute("aria-valuetext", text);
    }
    buttons.send.textContent = calm.matches && inputs.layer.value > 1 ? "One layer further back" : "Send a gradient back";
    // Buttons that were disabled would lose the focus.
    buttons.keep.setAttribute("aria-disabled", kept.length === data.kept || kept.some((chosen) => same(chosen, setting())));
    buttons.clear.setAttribute("aria-disabled", !kept.length);
    buttons.other.style.visibility = isOne(setting()) ? "visible" : "hidden";
    if (!ready()) return;
    const shown = view();
    report(shown);
    if (box.width) shown.curves.forEach((curve, i) => picture(charts[i], curve, i ? shown.ghosts : []));
    if (long.width) pulse(shown.curves[1]);
  }

  // The numbers at the layer: into the table, and in words.
  function report({ curves, factors, source, ghosts }) {
    const layer = Number(inputs.layer.value);
    const at = (logs, layer) => logs ? scientific(10 ** logs[layer - 1]) : "–";
    const numbers = curves.map((curve) => [at(curve.measured, layer), at(curve.theory, layer)]);
    numbers.forEach((pair, i) => {
      rows[i].querySelector("small").textContent = `in layer ${layer}`;
      rows[i].querySelectorAll("td span").forEach((cell, side) => { cell.textContent = pair[side]; });
    });
    rows[2].querySelector("small").textContent = layer < size("depth") ? `from layer ${layer + 1}` : "";
    rows[2].querySelectorAll("span").forEach((cell, side) => {
      const logs = [curves[1].measured, curves[1].theory][side];
      cell.textContent = logs && layer < size("depth") ? scientific(10 ** (logs[layer - 1] - logs[layer])) : "–";
    });
    const [expected, bounds] = [factors.at(-1), factors.slice(1, -1)];
    const [measured, theory] = rows[3].querySelectorAll("span");
    measured.textContent = factors.length > 1 ? factors[0] : "–";
    rows[3].querySelector("th small").textContent = bounds.length ? "95% interval" : "";
    rows[3].querySelector("td small").textContent = bounds.join(" to ");
    theory.textContent = expected;
    root.querySelectorAll(".source").forEach((place, i) => { place.textContent = source[i]; });
    const values = ghosts.map(({ name, logs }) => `${name}: ${at(logs, layer)} in layer ${layer}`);
    find(".kept").replaceChildren(...(values.length ? values : ["Keep a curve, and compare it with others."]).map((words) => html("li", {}, words)));
    said = `${inputs.f.selectedOptions[0].text}, gain ${size("gain")}, width ${size("width")}, layer ${layer} of ${size("depth")}, ${source[0]}. `
      + ["Variance", "Gradient"].map((name, i) => `${name} ${numbers[i][0]}, by theory ${numbers[i][1]}.`).join(" ")
      + ` Factor per layer ${measured.textContent}${bounds.length ? `, from ${bounds.join(" to ")}` : ""}, by theory ${expected}.`
      + values.map((words) => ` Kept, ${words}.`).join("");
  }

  // Bars for the layers that the gradient has reached, from the last one on, with the theory's marks.
  function pulse({ measured, theory }) {
    const [right, bottom, depth] = [long.width - PAD.right, long.height - PAD.bottom / 2, size("depth")];
    const reached = Number(inputs.layer.value);
    const bars = (measured ?? theory).map((log) => 10 ** log);
    const top = Math.min(HIGHEST, Math.max(1, ...bars));
    const step = (right - PAD.left) / depth;
    const left = (layer) => PAD.left + (layer - 1) * step;
    const y = (value) => bottom - Math.min(value / top, 1.08) * (bottom - 2.5 * PAD.top) / 1.08;
    const half = Math.min(0.4 * step, 16);
    // What leaves the picture has a peak.
    const edge = (layer, value) => {
      const [middle, height] = [left(layer + 0.5), y(value)];
      const side = value > HIGHEST ? y(HIGHEST) : height;
      return `${middle - half} ${side}L${middle} ${height}L${middle + half} ${side}`;
    };
    const bar = (layer) => svg("path", {
      d: `M${edge(layer, bars[layer - 1])}V${bottom}h${-2 * half}Z`,
      class: `bar ${measured ? "measured" : "theory"} ${layer === reached ? "reached" : ""}`,
    });
    const mark = (log, i) => svg("path", { d: `M${edge(i + 1, 10 ** log)}`, class: "tick theory" });
    const layers = Array.from({ length: depth - reached + 1 }, (_, i) => depth - i);
    const heights = top > 1 ? [0, 1, Math.floor(top)] : [0, 1];
    const words = scientific(bars[reached - 1]);
    const [middle, reach] = [left(reached + 0.5), 4 * words.length];
    show(strip, long,
      ...heights.flatMap((value) => [
        line(PAD.left, y(value), right, y(value), value ? "grid" : "axis"),
        text(PAD.left - 6, y(value) + 4, "end", `${value}`),
      ]),
      ...marked(depth).map((layer) => text(left(layer + 0.5), long.height - 4, "middle", `${layer}`)),
      ...layers.map(bar),
      ...theory.map(mark),
      svg("text", { x: Math.min(long.width - reach, Math.max(PAD.left + reach, middle)), y: y(bars[reached - 1]) - 6, "text-anchor": "middle", class: "name" }, words),
    );
  }

  function picture(chart, curve, ghosts) {
    const [layer, depth] = [Number(inputs.layer.value), size("depth")];
    const shown = curve.measured ?? curve.theory;
    const values = [shown, curve.theory, ...ghosts.map(({ logs }) => logs)].flat();
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const margin = Math.max(0.06 * (most - least), (1 - most + least) / 2);
    const inner = box.height - PAD.bottom - PAD.top;
    const names = inner / (inner - 16 * ghosts.length); // above the highest curve
    const [low, high] = [least - margin, least - margin + names * (most - least + 2 * margin)];
    const { y, across, up, below, upright, path, dot } = plane(box, PAD, [1, depth], [low, high]);
    const joined = (logs) => logs.map((value, i) => [i + 1, value]);
    const places = apart([...ghosts.map(({ logs }) => y(logs[0]) - 5), Number(y(shown[0])) + 6]);

    show(chart, box,
      ...across(marked(depth).map((mark) => [mark, `${mark}`])),
      ...up(ticks(low, high)),
      below("layer"),
      upright(layer, "place"),
      ...ghosts.map(({ logs }) => path(joined(logs), "ghost")),
      ...(curve.measured ? [path(joined(curve.measured), "curve measured")] : []),
      path(joined(curve.theory), "curve theory"),
      ...(curve.measured ?? []).map((value, i) => dot(i + 1, value, 2, "measured")),
      dot(layer, shown[layer - 1], 5, curve.measured ? "measured" : "theory"),
      ...ghosts.map(({ name }, i) => svg("text", { x: PAD.left + 6, y: places[i], class: "name" }, name)),
    );
  }

  const { changed, telling } = keepsView(root, "f", { read, written, words: () => said, draw });

  function stop() {
    cancelAnimationFrame(travelling);
    travelling = 0;
  }

  // Has the gradient go back layer by layer; for readers who want no motion, a layer at each click.
  function send() {
    stop();
    const depth = size("depth");
    if (calm.matches) return reach(inputs.layer.value > 1 ? inputs.layer.value - 1 : depth);
    let began;
    const go = (now) => {
      began ??= now;
      const share = Math.min(1, (now - began) / 1000 / SECONDS);
      const layer = depth - Math.floor(share * (depth - 1));
      if (share === 1) return reach(1);
      travelling = requestAnimationFrame(go);
      if (layer === Number(inputs.layer.value)) return undefined;
      inputs.layer.value = layer;
      return draw();
    };
    travelling = requestAnimationFrame(go);
    return undefined;
  }

  function reach(layer) {
    stop();
    inputs.layer.value = layer;
    changed();
  }

  new IntersectionObserver(([{ isIntersecting }]) => {
    if (travelling && !isIntersecting) reach(1); // nobody sees it travel
  }).observe(strip);

  root.addEventListener("input", () => {
    stop();
    changed();
  });

  const pressed = {
    send,
    keep: () => { kept.push(setting()); changed(); },
    clear: () => { kept = []; changed(); },
    other: () => { network = network % 999 + 1; changed(); },
  };
  for (const [name, button] of Object.entries(buttons)) {
    button.addEventListener("click", () => button.ariaDisabled !== "true" && pressed[name]());
  }

  // From there, the arrow keys move the layer.
  const moved = (layer) => {
    reach(layer);
    inputs.layer.focus({ preventScroll: true });
  };
  const share = (place) => (place - PAD.left) / (box.width - PAD.left - PAD.right);
  for (const chart of charts) dragged(chart, (place) => moved(Math.round(1 + share(place) * (size("depth") - 1))));
  dragged(strip, (place) => moved(Math.floor(1 + (place - PAD.left) / (long.width - PAD.left - PAD.right) * size("depth"))));

  whenSized(charts[0], box, draw);
  whenSized(strip, long, draw);
}

startAll(".depths", start);
