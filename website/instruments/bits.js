// Computes the sigmoid's slope in float32 and float16, as NumPy does, and shows the bits; bits.py
// says what the table in the page has. In front of this stands draw.js. No number here is negative.

const exponentOf = (x, { lowest }) => Math.max(Math.floor(Math.log2(x)), lowest);
const ulpOf = (x, format) => 2 ** (exponentOf(x, format) - format.fraction);

// The nearest number of a format, the even one of two, as Math.fround has it for float32.
function nearest(x, format) {
  const ulp = ulpOf(x, format);
  const found = (x / ulp + 2 ** 52 - 2 ** 52) * ulp;
  return found < 2 ** (2 - format.lowest) ? found : Infinity;
}

// The bits of a number as a whole number, and the number that has them.
const bitsOf = (x, format) =>
  (exponentOf(x, format) - format.lowest) * 2 ** format.fraction + x / ulpOf(x, format);

function numberWith(bits, { fraction, lowest }) {
  const above = Math.max(Math.floor(bits / 2 ** fraction) - 1, 0);
  return (bits - above * 2 ** fraction) * 2 ** (above + lowest - fraction);
}

// What is computed at z. A float64 has more than twice the digits of the formats, so that rounding
// its sums, products and quotients gives what computing in the format would.
function computed(data, z, dtype, way) {
  const format = data.dtypes[dtype];
  const round = dtype === "float32" ? Math.fround : (x) => nearest(x, format);
  const middle = (data.wholes.length - 1) * data.steps; // from the last z, where 0 is

  const precise = (z) => { // exp(-z) for z from 0 on
    const place = z * data.steps;
    return data.wholes[Math.floor(place / data.steps)] * data.parts[place % data.steps];
  };
  const exp = (z) => { // exp(-z) in NumPy
    const found = round(z < 0 ? 1 / precise(-z) : precise(z));
    const off = format.exp.at(z * data.steps - middle - 1).charCodeAt(0) - "M".charCodeAt(0);
    return off ? numberWith(bitsOf(found, format) + off, format) : found;
  };

  const [e, q, tiny] = [exp(z), exp(Math.abs(z)), precise(Math.abs(z))];
  const [small, large] = [tiny / (1 + tiny), 1 / (1 + tiny)];
  const exact = z < 0 ? { s: small, rest: large } : { s: large, rest: small };
  const slope = tiny / ((1 + tiny) * (1 + tiny));

  const s = way === "once" ? round(exact.s) : round(1 / round(1 + e));
  const rest = round(1 - s);
  const d = round(1 + q);
  return {
    format,
    exact: { ...exact, usual: slope, kept: slope, nearest: slope, slope },
    values: { s, rest, usual: round(s * rest), kept: round(q / round(d * d)), nearest: round(slope), slope },
  };
}

// How many of the last places of a number are off by one or more.
const lost = (off, unit, base) =>
  off < unit ? 0 : Math.floor(Math.log(off / unit) / Math.log(base) + 1e-12) + 1;

// Sign, exponent and fraction, and in each the bits that are right and those that aren't.
function register(x, exact, format) {
  const { exponent, fraction } = format;
  const text = bitsOf(x, format).toString(2).padStart(1 + exponent + fraction, "0");
  const off = lost(Math.abs(x - exact), ulpOf(x, format), 2);
  const right = off > fraction ? 1 : text.length - off;
  return [[0, 1], [1, 1 + exponent], [1 + exponent, text.length]].map(([from, to]) => {
    const end = Math.min(Math.max(right, from), to);
    return [text.slice(from, end), text.slice(end, to)];
  });
}

// The digits that are right, those that aren't, and the power of ten.
function decimal(x, exact, format) {
  const error = Math.abs(x - exact);
  if (x === 0) return error < ulpOf(0, format) ? ["0", "", ""] : ["", "0", ""];
  const [, exponent] = x.toExponential(format.digits - 1).split("e").map(Number);
  const plain = exponent >= -3;
  const text = plain ? x.toPrecision(format.digits) : x.toExponential(format.digits - 1).split("e")[0];
  let off = Math.min(lost(error, 10 ** (exponent - format.digits + 1), 10), format.digits);
  let end = text.length;
  for (; off; end--) if (text[end - 1] !== ".") off--;
  return [text.slice(0, end), text.slice(end), plain ? "" : ` × ${power(exponent)}`];
}

const ulps = (x, exact, format) => {
  const off = Math.abs(x - exact) / ulpOf(exact, format);
  return `off by ${off < 10 ? off.toFixed(1) : Number(off.toPrecision(2)).toLocaleString("en")} ulp`;
};

// What there is to see, in a sentence or two, and what becomes of the form that starts from q. No line
// ends within a formula.
const [REST, USUAL, KEPT] = ["1 − s", "s(1 − s)", "q/(1 + q)²"].map((formula) => formula.replaceAll(" ", "\u00a0"));

function verdict(z, dtype, { format, exact, values }) {
  const { s, rest, usual, kept } = values;
  const keeps = kept ? `${KEPT} keeps it.` : `${dtype} has no number so small: ${KEPT} is 0, too.`;
  const lostAll = (why) => [`${why}, so ${USUAL} is 0. The slope is ${scientific(exact.slope)}.`, keeps];
  if (s === 0) return lostAll(`exp(−z) is too large for ${dtype}`);
  if (rest === 0) return lostAll("s has become 1");
  if (s < 2 ** format.lowest) return [`s is so small that ${dtype} has fewer digits for it, and for ${USUAL}.`, ""];
  if (z <= 0) return [`Up to z = 0, ${USUAL} is right but for rounding: s keeps its digits, however small it is.`, ""];
  const steps = (rest / ulpOf(s, format)).toLocaleString("en");
  const right = decimal(usual, exact.usual, format)[0].replace(/^[0.]+/, "").replace(".", "").length;
  return [`s comes in steps of ${power(exponentOf(s, format) - format.fraction, 2)}. ${REST} is ${steps} of them: `
    + `${right} of ${format.digits} digits of ${USUAL} ${right === 1 ? "is" : "are"} right.`, ""];
}

function start(root) {
  const find = (selector) => root.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const slider = find("[name=z]");
  const selects = ["dtype", "s"].map((name) => find(`[name=${name}]`)).filter(Boolean);
  const own = find(".share"); // the compact one has no view in the address
  const view = {};

  // A view, as it stands in an address. What makes no sense there is left as it is.
  function read(text) {
    const given = new URLSearchParams(text);
    slider.value = numberOf(given, "z") ?? slider.value;
    for (const select of selects) {
      const wanted = given.get(select.name);
      if ([...select.options].some((option) => option.value === wanted)) select.value = wanted;
    }
  }

  const words = () => `z = ${minus(slider.value)}, ${view.dtype}. ${find(".verdict").textContent}`;
  const written = () => new URLSearchParams(Object.entries(view));

  function draw() {
    Object.assign(view, { z: slider.value, dtype: "float32", s: "stepped" });
    for (const select of selects) view[select.name] = select.value;
    const found = computed(data, Number(view.z), view.dtype, view.s);
    const shown = minus(Number(view.z).toFixed(3));
    find(".slider output").value = shown;
    slider.setAttribute("aria-valuetext", shown);
    for (const row of root.querySelectorAll("[data-number]")) line(row, row.dataset.number, found);
    const said = verdict(Number(view.z), view.dtype, found);
    find(".verdict").textContent = own ? said.join(" ") : said[0];
    for (const button of root.querySelectorAll(".zero button")) {
      button.textContent = `z = ${found.format.zero[button.value][0]}`;
    }
  }

  const struck = ([right, wrong]) => wrong ? [right, html("s", {}, wrong)] : [right];

  // A number: its bits, its digits, and how far it is off, as far as the row has places for them.
  function line(row, name, { format, exact, values }) {
    const [x, y] = [values[name], exact[name]];
    const [bits, digits, off] = row.querySelectorAll("dd");
    if (name !== "slope") {
      const fields = register(x, y, format);
      const box = html("span", {}, ...fields.map((field) => html("span", {}, ...struck(field))));
      box.setAttribute("role", "img");
      const off = fields.reduce((sum, [, wrong]) => sum + wrong.length, 0);
      box.setAttribute("aria-label", `Bits: ${fields.map((field) => field.join("")).join(" ")}${off ? `, off: the last ${off}` : ""}`);
      bits.replaceChildren(box);
    }
    const [right, wrong, times] = decimal(x, y, format);
    digits?.replaceChildren(...struck([right, wrong]), times);
    if (off) off.textContent = ulps(x, y, format);
  }

  const { changed } = keepsView(root, "z", { read, written, words, draw });
  root.addEventListener("input", changed);
  for (const button of root.querySelectorAll(".zero button")) {
    button.addEventListener("click", () => {
      find("[name=s]").value = button.value;
      slider.value = data.dtypes[view.dtype].zero[button.value][1];
      changed();
    });
  }
}

startAll(".bits", start);
