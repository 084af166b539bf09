// What is seen of two runs: the plane as each has it, and curves of both.

const GRID = 32; // cells across a picture of the plane
const TILE = 16; // and across a unit's
const INKS = [[36, 120, 196], [232, 93, 18]]; // the book's first two
const MARGINS = { left: 40, right: 24, top: 8, bottom: 40 };

// The middles of a grid's cells, from the top left, row by row.
function cells(across) {
  const middle = (i) => REACH * ((2 * i + 1) / across - 1);
  return Float64Array.from(Array.from({ length: across * across }, (_, i) => [middle(i % across), -middle(Math.floor(i / across))]).flat());
}
const PLANE = cells(GRID);
const COARSE = cells(TILE);

// A picture of values from -1 to 1: of the first ink below 0 and of the second above, the fuller the
// further from 0.
function shaded(canvas, values, across, strength) {
  if (canvas.width !== across) canvas.width = canvas.height = across;
  const context = canvas.getContext("2d");
  const image = context.createImageData(across, across);
  values.forEach((value, i) => {
    const ink = INKS[value < 0 ? 0 : 1];
    for (let k = 0; k < 3; k += 1) image.data[4 * i + k] = ink[k];
    image.data[4 * i + 3] = 255 * strength * Math.min(1, Math.abs(value));
  });
  context.putImageData(image, 0, 0);
}

// The pieces of the line along which values on the grid pass through 0, between neighbouring middles.
function border(values, across) {
  const pieces = [];
  for (let row = 0; row < across - 1; row += 1) {
    for (let column = 0; column < across - 1; column += 1) {
      const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([right, down]) => [column + right, row + down, values[(row + down) * across + column + right]]);
      const crossed = corners.flatMap(([x, y, value], i) => {
        const [otherX, otherY, other] = corners[(i + 1) % 4];
        if (value < 0 === other < 0) return [];
        const share = value / (value - other);
        return [[x + share * (otherX - x), y + share * (otherY - y)]];
      });
      for (let i = 0; i + 1 < crossed.length; i += 2) pieces.push([crossed[i], crossed[i + 1]].map(([x, y]) => [(x + 0.5) / across, (y + 0.5) / across]));
    }
  }
  return pieces;
}

// What a run makes of the plane, with the points; the one at `chosen` has a ring.
function surface(canvas, run, chosen) {
  const side = canvas.clientWidth * devicePixelRatio;
  if (!side) return;
  if (canvas.width !== Math.round(side)) canvas.width = canvas.height = Math.round(side);
  const context = canvas.getContext("2d");
  const values = run.seen(PLANE).second.map((p) => 2 * p - 1);
  canvas.cells ??= document.createElement("canvas");
  shaded(canvas.cells, values, GRID, 0.6);
  context.clearRect(0, 0, side, side);
  context.drawImage(canvas.cells, 0, 0, canvas.width, canvas.height);
  context.beginPath();
  for (const [[x, y], [otherX, otherY]] of border(values, GRID)) {
    context.moveTo(side * x, side * y);
    context.lineTo(side * otherX, side * otherY);
  }
  outlined(context);
  pointed(context, run.points.test, side, false);
  pointed(context, run.points.train, side, true, chosen);
}

function pointed(context, { x, labels }, side, filled, chosen) {
  const radius = 3 * devicePixelRatio;
  labels.forEach((label, i) => {
    const [across, down] = [side * (1 + x[2 * i] / REACH) / 2, side * (1 - x[2 * i + 1] / REACH) / 2];
    const shape = (radius) => {
      context.beginPath();
      if (label) context.rect(across - radius, down - radius, 2 * radius, 2 * radius);
      else context.arc(across, down, radius, 0, 2 * Math.PI);
    };
    shape(radius);
    context.fillStyle = context.strokeStyle = `rgb(${INKS[label]})`;
    context.lineWidth = devicePixelRatio;
    if (filled) {
      context.fill();
      context.strokeStyle = "#fff";
    }
    context.stroke();
    if (i !== chosen) return;
    shape(3 * radius);
    outlined(context);
  });
}

// A dark line on a broader light one is seen in either theme, and on paper.
function outlined(context) {
  [["#fff", 5], ["#111", 2]].forEach(([ink, width]) => {
    context.strokeStyle = ink;
    context.lineWidth = width * devicePixelRatio;
    context.stroke();
  });
}

// One number of both runs against the steps; what is not finite has no place.
function curves(chart, box, histories, key, most) {
  const steps = Math.max(1, histories[0].at(-1).steps);
  const { across, up, below, path } = plane(box, MARGINS, [0, steps], [0, most]);
  show(chart, box,
    ...across([[0, "0"], [steps, steps.toLocaleString("en")]]),
    ...up([0, 0.25, 0.5, 0.75, 1].map((share) => [share * most, share % 0.5 ? "" : `${share * most}`])),
    below("steps"),
    ...histories.flatMap((history, side) => {
      const points = history.filter((at) => Number.isFinite(at[key])).map((at) => [at.steps, Math.min(most, at[key])]);
      return points.length ? [path(points, `curve ${"ab"[side]}`)] : [];
    }));
}

// Bars on a logarithmic axis, two for each layer, with the numbers.
function bars(chart, box, norms) {
  const layers = Math.max(...norms.map((each) => each.length));
  const [first, height] = [20, (box.height - 16) / layers];
  const drawn = (norm) => norm > 0 && norm < Infinity;
  const logs = norms.flat().filter(drawn).map(Math.log10);
  const [low, high] = [Math.min(-4, Math.floor(Math.min(...logs))), Math.max(0, ...logs)];
  const length = (norm) => drawn(norm) ? Math.max(2, (Math.log10(norm) - low) / (high - low) * (box.width - first - 110)) : 0;
  chart.ariaLabel = `Norm of the gradient, layer by layer. ${norms.map((each, side) => `${"AB"[side]}: ${each.map(told).join(", ")}`).join(". ")}`;
  const thick = Math.min(14, height / 2 - 1);
  show(chart, box, ...Array.from({ length: layers }, (_, i) => [
    svg("text", { x: 0, y: (i + 0.5) * height + 4 }, `${i + 1}`),
    ...norms.flatMap((each, side) => {
      if (!(i in each)) return [];
      const y = (i + 0.5) * height + (side - 1) * (thick + 1);
      const shape = { x: first, y, width: length(each[i]), height: thick, class: `bars ${"ab"[side]}` };
      return [svg("rect", shape), svg("text", { x: first + length(each[i]) + 6, y: y + thick - 2, class: "ab"[side] }, `${"AB"[side]} ${told(each[i])}`)];
    }),
  ]).flat());
}

const told = (value) => value === 0 ? "0" : Number.isFinite(value) ? scientific(value) : "diverged";
