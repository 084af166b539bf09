// Fits sums of units to a curve, with joints that can be dragged; joints.py says what the page's table
// has. In front of this stand draw.js and the ACTIVATIONS.
const PAD = { left: 34, right: 10, top: 8, bottom: 52 };
const HIGH = 2; // the chart shows values from minus this to this

// Columns that add up to a fit: a constant, and one for each unit or power.
function columns(kind, places, x) {
  const constant = x.map(() => 1);
  if (kind !== "powers") {
    const { f } = ACTIVATIONS[kind];
    return [constant, ...places.map((place) => x.map((x) => f(places.length * (x - place))))];
  }
  // Chebyshev's polynomials span the same as the powers, without their roundoff.
  const found = [constant, x.map((x) => 2 * x - 1)];
  while (found.length <= places.length) {
    const [one, two] = found.slice(-2);
    found.push(x.map((x, i) => 2 * (2 * x - 1) * two[i] - one[i]));
  }
  return found;
}

// Plain loops, as these are what takes time while a joint is dragged.
function dot(a, b) {
  let total = 0;
  for (let i = 0; i < a.length; i += 1) total += a[i] * b[i];
  return total;
}

function take(a, factor, b) {
  for (let i = 0; i < a.length; i += 1) a[i] -= factor * b[i];
}

// The weights of columns that come nearest to a target: each column is made square to those before it,
// twice for the sake of roundoff (Gram and Schmidt). One that adds nothing new gets no weight.
function leastSquares(columns, target) {
  const [squares, shares] = [[], []];
  const rest = Float64Array.from(target);
  const along = columns.map((column, k) => {
    shares[k] = new Array(k).fill(0);
    const own = Float64Array.from(column);
    for (const _ of [1, 2]) {
      squares.forEach((square, i) => {
        const share = dot(square, own);
        shares[k][i] += share;
        take(own, share, square);
      });
    }
    const norm = Math.sqrt(dot(own, own));
    const fresh = norm > 1e-9 * Math.sqrt(dot(column, column));
    squares[k] = own.map((value) => fresh ? value / norm : 0);
    shares[k][k] = norm;
    const length = dot(squares[k], rest);
    take(rest, length, squares[k]);
    return length;
  });
  const weights = along.map(() => 0);
  for (let k = along.length - 1; k >= 0; k -= 1) {
    const later = along.reduce((total, _, j) => j > k ? total + shares[j][k] * weights[j] : total, 0);
    weights[k] = along[k] ? (along[k] - later) / shares[k][k] : 0;
  }
  return { weights, rest };
}

function fitted(kind, places, x, target) {
  const parts = columns(kind, places, x);
  const { weights, rest } = leastSquares(parts, target);
  const units = parts.map((part, k) => part.map((value) => weights[k] * value));
  return {
    units: units.slice(1),
    sum: target.map((value, i) => value - rest[i]),
    typical: Math.sqrt(dot(rest, rest) / rest.length),
    most: Math.max(...rest.map(Math.abs)),
  };
}

// The curves are in the table to six decimals.
const amount = (value) => value < 1e-6 ? `< ${power(-6)}` : scientific(value);

const evenly = (count) => Array.from({ length: count }, (_, k) => k / count);

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const { curves, inks } = JSON.parse(find("script").textContent);
  const chart = find(".chart");
  const inputs = Object.fromEntries(["curve", "kind", "units", "joint", "place"].map((name) => [name, find(`[name=${name}]`)]));
  const box = { width: 0, height: 0 };
  const x = curves.wave.map((_, i, all) => i / (all.length - 1));
  let places = [];
  let said = "";

  const jointed = () => inputs.kind.value !== "powers";
  const isEven = () => places.every((place, k) => place === k / places.length);

  function read(text) {
    const given = new URLSearchParams(text);
    for (const name of ["curve", "kind"]) {
      const known = [...inputs[name].options].map((option) => option.value);
      if (known.includes(given.get(name))) inputs[name].value = given.get(name);
    }
    inputs.units.value = numberOf(given, "units") ?? inputs.units.value;
    places = evenly(Number(inputs.units.value));
    const wanted = (given.get("at") ?? "").split(",").map((place) => place ? Number(place) : NaN);
    if (wanted.length === places.length && wanted.every((place) => place >= 0 && place <= 1)) places = wanted.map(whole);
    chosen(1);
  }

  // An address has three decimals: those of an even place, such as 0.333, stand for all of its digits.
  const whole = (place, k) => place.toFixed(3) === places[k].toFixed(3) ? places[k] : place;

  function written() {
    const view = new URLSearchParams(["kind", "curve", "units"].map((name) => [name, inputs[name].value]));
    if (jointed() && !isEven()) view.set("at", places.map((place) => Number(place.toFixed(3))));
    return `${view}`.replaceAll("%2C", ",");
  }

  // Has the sliders show a joint.
  function chosen(joint) {
    inputs.joint.max = places.length;
    inputs.joint.value = joint;
    inputs.place.value = places[joint - 1];
  }

  function told(name, words) {
    inputs[name].closest(".slider").querySelector("output").value = words;
    inputs[name].setAttribute("aria-valuetext", words);
  }

  function draw() {
    const [kind, curve] = [inputs.kind.value, inputs.curve.value];
    told("units", inputs.units.value);
    told("joint", `${inputs.joint.value} of ${places.length}`);
    const place = places[inputs.joint.value - 1].toFixed(3); // the slider has only steps
    told("place", place);
    root.style.setProperty("--ink", inks[kind]);
    for (const name of ["joint", "place"]) inputs[name].disabled = !jointed();
    find("[name=even]").setAttribute("aria-disabled", !jointed() || isEven());
    const fits = Object.fromEntries([...inputs.kind.options].map(({ value }) => [value, fitted(value, places, x, curves[curve])]));
    for (const row of root.querySelectorAll("tbody tr")) {
      const { typical, most } = fits[row.dataset.kind];
      row.classList.toggle("drawn", row.dataset.kind === kind);
      row.querySelectorAll("td").forEach((cell, i) => { cell.textContent = amount([typical, most][i]); });
    }
    const { typical, most } = fits[kind];
    const s = places.length > 1 ? "s" : "";
    said = `${places.length} ${kind === "powers" ? `power${s} of x` : `${inputs.kind.selectedOptions[0].text} unit${s}`} for the ${curve}: `
      + `typically off by ${amount(typical)}, at most by ${amount(most)}.`
      + (jointed() ? ` Joint ${inputs.joint.value} is at ${place}.` : "");
    if (box.width) picture(curves[curve], fits[kind]);
  }

  function picture(target, { units, sum }) {
    const [right, bottom] = [box.width - PAD.right, box.height - PAD.bottom];
    const at = plane(box, PAD, [0, 1], [-HIGH, HIGH]);
    const path = (values, name) => at.path(values.map((value, i) => [x[i], value]), name);
    const inside = svg("svg", { x: PAD.left, y: PAD.top, width: right - PAD.left, height: bottom - PAD.top, viewBox: `${PAD.left} ${PAD.top} ${right - PAD.left} ${bottom - PAD.top}` });
    const joint = jointed() ? inputs.joint.value - 1 : undefined;
    inside.append(...units.map((values, k) => path(values, `unit ${k === joint ? "chosen" : ""}`)), path(target, "target"), path(sum, "curve"));
    const marks = jointed() ? places.flatMap((place, k) => [
      at.upright(place, "place"),
      svg("circle", { cx: at.x(place), cy: bottom + 12, r: k === joint ? 8 : 6, class: `dot ${k === joint ? "filled" : ""}` }),
    ]) : [];
    show(chart, box,
      ...[-2, -1, 0, 1, 2].flatMap((tick) => [
        line(PAD.left, at.y(tick), right, at.y(tick), tick ? "grid" : "axis"),
        text(PAD.left - 6, Number(at.y(tick)) + 4, "end", minus(`${tick}`)),
      ]),
      ...[0, 0.5, 1].map((tick) => text(at.x(tick), bottom + 38, "middle", `${tick}`)),
      text(at.x(0.75), bottom + 38, "middle", "x"),
      inside, ...marks);
  }

  const { changed } = keepsView(root, "kind", { read, written, words: () => said, draw });

  function moved(place) {
    places[inputs.joint.value - 1] = Math.round(200 * Math.min(1, Math.max(0, place))) / 200;
    inputs.place.value = places[inputs.joint.value - 1];
  }

  root.addEventListener("input", ({ target }) => {
    if (target === inputs.units) {
      places = evenly(Number(inputs.units.value));
      chosen(Math.min(inputs.joint.value, places.length));
    } else if (target === inputs.joint) {
      chosen(inputs.joint.value);
    } else if (target === inputs.place) {
      moved(Number(inputs.place.value));
    }
    changed();
  });

  // A button that were disabled would lose the focus.
  find("[name=even]").addEventListener("click", () => {
    if (!jointed()) return;
    places = evenly(places.length);
    chosen(inputs.joint.value);
    changed();
  });

  // The joint nearest to where one begins to drag goes along; from there, the arrow keys move it.
  const share = (along) => (along - PAD.left) / (box.width - PAD.left - PAD.right);
  dragged(chart, (along, begins) => {
    if (!jointed()) return;
    if (begins) chosen(near(places, share(along)) + 1);
    moved(share(along));
    inputs.place.focus({ preventScroll: true });
    changed();
  });

  whenSized(chart, box, draw);
}

startAll(".joints", start);
