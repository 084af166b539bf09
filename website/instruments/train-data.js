// Points in the plane, from -REACH to REACH in both directions, of two classes: that far, their standard
// deviation is near 1, as networks like it. `x` is a matrix of two columns.

const REACH = 2;
const DRAWN = {
  // Each class is an arm that turns once and a half around the middle.
  spirals(uniform, label) {
    const along = 0.1 + 0.85 * uniform();
    const angle = 3 * Math.PI * along + label * Math.PI;
    return [along * Math.sin(angle), along * Math.cos(angle)].map((value) => value + 0.02 * uniform.normal());
  },
  // A disc, and a ring around it.
  rings(uniform, label) {
    const radius = label ? 0.65 + 0.3 * uniform() : 0.45 * Math.sqrt(uniform());
    const angle = 2 * Math.PI * uniform();
    return [radius * Math.sin(angle), radius * Math.cos(angle)];
  },
  // Both coordinates have the same sign, or not.
  xor(uniform, label) {
    const [x, y] = [0.05 + 0.9 * uniform(), 0.05 + 0.9 * uniform()];
    const side = uniform() < 0.5 ? -1 : 1;
    return [side * x, (label ? -side : side) * y];
  },
};
const POINTS = 120; // of the training data, and of the test data
const CELLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; // across the plane

// The points of a kind are always the same: a seed changes what a network makes of them.
function pointsOf(kind, own = "") {
  if (kind === "own") return { train: ownPoints(own), test: ownPoints("") };
  const uniform = randomly(1);
  const some = () => {
    const labels = Array.from({ length: POINTS }, (_, i) => i % 2);
    return { x: Float64Array.from(labels.flatMap((label) => DRAWN[kind](uniform, label)).map((value) => REACH * value)), labels };
  };
  return { train: some(), test: some() };
}

const cell = (value) => Math.max(0, Math.min(CELLS.length - 1, Math.floor((value / REACH + 1) / 2 * CELLS.length)));
const middle = (cell) => REACH * ((2 * cell + 1) / CELLS.length - 1);

// A reader's own points stand in the address: two letters for the place, and the class.
const POINT = /([\w-])([\w-])([01])/g;
const placed = (x, y, label) => `${CELLS[cell(x)]}${CELLS[cell(y)]}${label}`;
const written = (text) => (text.match(POINT) ?? []).slice(0, 200).join("");

function ownPoints(text) {
  const found = [...text.matchAll(POINT)];
  return {
    x: Float64Array.from(found.flatMap(([, x, y]) => [x, y].map((letter) => middle(CELLS.indexOf(letter))))),
    labels: found.map((match) => Number(match[3])),
  };
}
