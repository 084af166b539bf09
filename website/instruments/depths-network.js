// A network that is made in the page, for depths that the table doesn't have. In front of this stand
// simulation.js and its ACTIVATIONS.
const [INPUTS, EXAMPLES, CLASSES] = [64, 8, 10];

// Random inputs, each with a mean square of 1.
function randomInputs(uniform) {
  return Float64Array.from(Array.from({ length: EXAMPLES }, () => {
    const one = Array.from({ length: INPUTS }, () => uniform.normal());
    const size = Math.sqrt(sum(one.map((value) => value * value)) / INPUTS);
    return one.map((value) => value / size);
  }).flat());
}

// What a network begins with for a seed and a width, drawn once: as many of its layers as were needed,
// for a gain of 1, and the random numbers that come after them. Drawing takes as long as passing, so it
// is said whether layers are fresh.
let begun = { seed: 0, widths: new Map() };

function beginning(seed, width, count) {
  if (begun.seed !== seed) begun = { seed, widths: new Map() };
  if (!begun.widths.has(width)) {
    const uniform = randomly(seed);
    begun.widths.set(width, { uniform, x: randomInputs(uniform), layers: [] });
  }
  const { uniform, x, layers } = begun.widths.get(width);
  const fresh = layers.length < count;
  while (layers.length < count) {
    const sizes = [layers.length ? width : INPUTS, width];
    layers.push(...drawn({ sizes, gain: 1 }, uniform));
  }
  return { x, layers, fresh };
}

const meanSquare = (values) => sum(values.map((value) => value * value)) / values.length;

// In each hidden layer the variance of z, and the gradient's norm divided by that in the last one, as
// logarithms to base 10. A seed gives the same random numbers for every activation, gain and depth.
function oneNetwork(activation, { gain, width, depth }, seed) {
  const { x, layers } = beginning(seed, width, depth + 1);
  const next = layers[depth];
  const output = { inputs: width, units: CLASSES, weight: next.weight.subarray(0, width * CLASSES), bias: new Float64Array(CLASSES) };
  const labels = Array.from({ length: EXAMPLES }, (_, i) => i);
  // The gain of a layer is as good as one of what enters it.
  const network = new Network([...layers.slice(0, depth), output], activation, { scale: gain });
  const { zs, deltas } = network.passed(x.map((value) => gain * value), labels);
  const logs = (layers) => layers.slice(0, depth).map((values) => Math.log10(meanSquare(values)));
  const gradients = logs(deltas).map((log) => log / 2);
  return { variances: logs(zs), gradients: gradients.map((log) => log - gradients[depth - 1]) };
}
