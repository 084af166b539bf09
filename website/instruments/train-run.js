// One network that learns points in the plane, by a setting: {f, alpha, layers, units, start, passes,
// optimiser, rate}. In front of this stand simulation.js, train-data.js and the constants of train.py.

const OPTIMISERS = {
  descent: (rate) => new Descent(rate),
  momentum: (rate) => new Descent(rate, 0.9),
  adam: (rate) => new Adam(rate),
};
const FLAT = { slope: 0.05, share: 0.95 }; // of the largest slope, and of the points

// The rows of one batch after another, from the points shuffled anew for each epoch. As in
// actlib.network, those that fill no batch are left out.
function* inBatches(count, size, uniform) {
  for (;;) {
    const order = shuffled(count, uniform);
    const batch = Math.min(size, count);
    for (let at = 0; at + batch <= count; at += batch) yield order.slice(at, at + batch);
  }
}

// Initial weights and batches follow from the seed, and from nothing else: two settings with the same
// seed see the same batches, and start from the same random numbers up to a factor.
class Run {
  constructor(setting, points, { seed, batch }) {
    const { f, alpha, layers, units, start, passes, optimiser, rate } = setting;
    const params = LEAKS[f] ? { [LEAKS[f]]: alpha } : {};
    const sizes = [2, ...Array(layers).fill(units), 2];
    const how = { params, learned: LEARNED.includes(f), ...PASSES[passes] };
    const made = drawn({ sizes, ...STARTS[start], ...how }, randomly(2 * seed));
    Object.assign(this, { setting, points, steps: 0 });
    this.network = new Network(made, f, how);
    this.optimiser = OPTIMISERS[optimiser](rate);
    this.batches = inBatches(points.train.labels.length, batch, randomly(2 * seed + 1));
    this.units = made.slice(0, -1).map(() => Array.from({ length: units }, () => ({})));
    this.watch();
  }

  step() {
    const { x, labels } = this.points.train;
    const rows = this.batches.next().value;
    const batch = Float64Array.from(rows.flatMap((row) => [x[2 * row], x[2 * row + 1]]));
    const { gradients } = this.network.backward(batch, rows.map((row) => labels[row]));
    this.optimiser.step(this.network.weights, gradients);
    this.steps += 1;
  }

  // Notes the loss and the accuracy, and how each unit is.
  watch() {
    const { network, points: { train, test } } = this;
    const passed = network.forward(train.x);
    this.train = network.judged(train.x, train.labels, passed);
    this.test = test.labels.length ? network.judged(test.x, test.labels) : undefined;
    this.units.forEach((units, i) => {
      const given = network.given(network.layers[i]);
      const little = FLAT.slope * steepest(this.setting.f, given);
      const counts = units.map(() => ({ none: 0, little: 0, some: 0 }));
      passed.zs[i].forEach((z, at) => {
        const slope = Math.abs(network.activation.slope(z, ...given));
        const count = counts[at % units.length];
        if (slope === 0) count.none += 1;
        if (slope <= little) count.little += 1;
        if (slope > 0) count.some += 1;
      });
      units.forEach((unit, k) => noted(unit, counts[k], train.labels.length));
    });
  }

  // The norm of the gradient of each layer's weights, over all training points.
  norms() {
    const { network, points: { train } } = this;
    const { gradients } = network.backward(train.x, train.labels);
    return network.layers.map(({ weight }) => Math.hypot(...gradients[network.weights.indexOf(weight)]));
  }

  // What the network makes of points: the probability of the second class, and what each unit passes on.
  seen(x) {
    const { inputs, zs } = this.network.forward(x);
    const logits = zs.at(-1);
    return { second: Float64Array.from({ length: x.length / 2 }, (_, i) => 1 / (1 + Math.exp(logits[2 * i] - logits[2 * i + 1]))), passed: inputs.slice(1) };
  }

  // How the gradient of one point's loss comes to a unit's z: along the path that carries most of it,
  // back from the output, {layer, unit, weight, slope} by {layer, unit, weight, slope}.
  traced(row, layer, unit) {
    const { network, points: { train: { x, labels } } } = this;
    const { zs, deltas } = network.backward(x.slice(2 * row, 2 * row + 2), [labels[row]]);
    const last = network.layers.length - 1;
    const best = []; // for each unit, the largest product of a path, and its next unit
    best[last] = [...deltas[last]].map((value) => ({ product: value }));
    for (let i = last - 1; i >= layer; i -= 1) {
      const next = network.layers[i + 1];
      const given = network.given(network.layers[i]);
      best[i] = Array.from({ length: next.inputs }, (_, j) => {
        const slope = network.activation.slope(zs[i][j], ...given);
        const ways = best[i + 1].map(({ product }, k) => {
          const weight = network.scale * next.weight[j * next.units + k];
          return { next: k, weight, slope, carried: weight * product };
        });
        const way = ways.reduce((most, other) => Math.abs(other.carried) > Math.abs(most.carried) ? other : most);
        return { ...way, product: slope * way.carried };
      });
    }
    const path = [];
    for (let i = layer, k = unit; i <= last; k = best[i][k].next, i += 1) path.unshift({ layer: i, unit: k, ...best[i][k] });
    return { path, whole: deltas[layer][unit] };
  }
}

const steepest = (f, given) => Math.max(...STEEPEST[f].map((z) => Math.abs(ACTIVATIONS[f].slope(z, ...given))));

// A unit is dead if its slope is 0 on all points, and back if it was. One that has diverged is neither.
function noted(unit, { none, little, some }, points) {
  unit.dead = points > 0 && none === points;
  unit.flat = points > 0 && !unit.dead && little >= FLAT.share * points;
  unit.was ||= unit.dead;
  unit.back = unit.was && some > 0;
}
