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

const meanSquare = (values) => sum(values.map((value) => value * value)) / values.length;

// In each hidden layer the variance of z, and the gradient's norm divided by that in the last one, as
// logarithms to base 10. A seed gives the same random numbers for every activation, gain and depth.
function oneNetwork(activation, { gain, width, depth }, seed) {
  const uniform = randomly(seed);
  const x = randomInputs(uniform);
  const layers = drawn({ sizes: [INPUTS, ...new Array(depth).fill(width), CLASSES], gain }, uniform);
  const labels = Array.from({ length: EXAMPLES }, (_, i) => i);
  const { zs, deltas } = new Network(layers, activation).passed(x, labels);
  const logs = (layers) => layers.slice(0, depth).map((values) => Math.log10(meanSquare(values)));
  const gradients = logs(deltas).map((log) => log / 2);
  return { variances: logs(zs), gradients: gradients.map((log) => log - gradients[depth - 1]) };
}
