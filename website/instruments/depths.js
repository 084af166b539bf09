// Draws the instrument of the page about depth from the table in the page; depths.py says what it
// has. In front of this stands draw.js.
const PAD = { left: 50, right: 14, top: 8, bottom: 40 };
const SIZES = ["gain", "width", "depth"];

const sums = (steps) => {
  let sum = 0;
  return steps.map((step) => sum += step);
};

// Where a logarithmic axis has lines, and what is written there.
function ticks(low, high) {
  const step = [1, 2, 5, 10].find((step) => (high - low) / step <= 6);
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

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const charts = [...root.querySelectorAll(".chart")];
  const rows = [...root.querySelectorAll("tbody tr")];
  const inputs = Object.fromEntries(["f", ...SIZES, "layer"].map((name) => [name, find(`[name=${name}]`)]));
  const box = { width: 0, height: 0 };
  const link = find(".share a");
  let said = "";
  let touched = false;

  const size = (name) => data[name][inputs[name].value];
  const logs = (coded) => sums(sums(coded)).map((whole) => whole / data.unit);

  // In each layer, what is measured and expected, as logarithms to base 10; and the factors per layer.
  function view() {
    const [variances, passed, expected, widths] = data.functions[inputs.f.value][inputs.gain.value];
    const [measured, gradients, factors] = widths[inputs.width.value];
    const depth = size("depth");
    const before = logs(passed).slice(0, depth);
    return {
      curves: [
        { measured: logs(measured).slice(0, depth), theory: logs(variances).slice(0, depth) },
        { measured: logs(gradients[inputs.depth.value]), theory: before.map((log) => before[depth - 1] - log) },
      ],
      factors: [...factors[inputs.depth.value], expected[inputs.depth.value]].map((whole) => (whole / data.unit).toFixed(3)),
    };
  }

  // A view, as it stands in an address. What makes no sense there is left as it is.
  function read(text) {
    const given = new URLSearchParams(text);
    if (Object.hasOwn(data.functions, given.get("f"))) inputs.f.value = given.get("f");
    for (const name of SIZES) {
      const wanted = numberOf(given, name);
      if (wanted !== undefined) inputs[name].value = near(data[name], wanted);
    }
    inputs.layer.max = size("depth");
    inputs.layer.value = numberOf(given, "layer") ?? inputs.layer.value;
    draw();
    telling.now();
  }

  const written = () => new URLSearchParams([
    ["f", inputs.f.value], ...SIZES.map((name) => [name, size(name)]), ["layer", inputs.layer.value],
  ]);

  const telling = settled(() => {
    find(".said").textContent = said;
    link.hash = written();
    if (touched) history.replaceState(null, "", link.hash);
  });

  function draw() {
    inputs.layer.max = size("depth");
    for (const name of [...SIZES, "layer"]) {
      const text = name === "layer" ? `${inputs.layer.value} of ${size("depth")}` : `${size(name)}`;
      inputs[name].closest(".slider").querySelector("output").value = text;
      inputs[name].setAttribute("aria-valuetext", text);
    }
    const shown = view();
    report(shown);
    if (box.width) shown.curves.forEach((curve, i) => picture(charts[i], curve));
  }

  // The numbers at the layer: into the table, and in words.
  function report({ curves, factors: [factor, low, high, expected] }) {
    const layer = Number(inputs.layer.value);
    const numbers = curves.map((curve) => [curve.measured, curve.theory].map((logs) => scientific(10 ** logs[layer - 1])));
    numbers.forEach((pair, i) => {
      rows[i].querySelector("small").textContent = `in layer ${layer}`;
      rows[i].querySelectorAll("td").forEach((cell, side) => { cell.textContent = pair[side]; });
    });
    const [measured, theory] = rows[2].querySelectorAll("span");
    measured.textContent = factor;
    rows[2].querySelector("td small").textContent = `${low} to ${high}`;
    theory.textContent = expected;
    said = `${inputs.f.selectedOptions[0].text}, gain ${size("gain")}, width ${size("width")}, layer ${layer} of ${size("depth")}. `
      + ["Variance", "Gradient"].map((name, i) => `${name} ${numbers[i][0]}, by theory ${numbers[i][1]}.`).join(" ")
      + ` Factor per layer ${factor}, from ${low} to ${high}, by theory ${expected}.`;
  }

  function picture(chart, curve) {
    const [layer, depth] = [Number(inputs.layer.value), size("depth")];
    const values = [...curve.measured, ...curve.theory];
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const margin = Math.max(0.06 * (most - least), (1 - most + least) / 2);
    const [low, high] = [least - margin, most + margin];
    const { across, up, below, upright, path, dot } = plane(box, PAD, [1, depth], [low, high]);
    const joined = (logs) => logs.map((value, i) => [i + 1, value]);
    const marks = depth > 5 ? [1, ...Array.from({ length: depth / 5 }, (_, i) => 5 * i + 5)] : [1, 2, 3, 4, 5];
    show(chart, box,
      ...across(marks.map((mark) => [mark, `${mark}`])),
      ...up(ticks(low, high)),
      below("layer"),
      upright(layer, "place"),
      path(joined(curve.measured), "measured"),
      path(joined(curve.theory), "theory"),
      ...curve.measured.map((value, i) => dot(i + 1, value, 2, "measured")),
      dot(layer, curve.measured[layer - 1], 5, "measured"),
    );
  }

  const changed = () => {
    touched = true;
    draw();
    telling.soon();
  };
  root.addEventListener("input", changed);

  // From there, the arrow keys move the layer.
  for (const chart of charts) {
    dragged(chart, (place) => {
      const share = (place - PAD.left) / (box.width - PAD.left - PAD.right);
      inputs.layer.value = Math.round(1 + share * (size("depth") - 1));
      inputs.layer.focus({ preventScroll: true });
      changed();
    });
  }

  copies(find(".share"), () => {
    telling.now();
    return link.href;
  });
  whenSized(charts[0], box, draw);

  // Other fragments are places in the page.
  const come = () => {
    if (!new URLSearchParams(location.hash.slice(1)).has("f")) return;
    read(location.hash.slice(1));
    root.scrollIntoView({ block: "nearest" });
  };
  read(root.dataset.state);
  come();
  addEventListener("hashchange", come);
}

startAll(".depths", start);
