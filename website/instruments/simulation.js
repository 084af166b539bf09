// A network that learns in float64 as actlib.network's does: softmax with cross-entropy behind hidden
// layers that pass on scale * f(z) + offset. In front of this stand the ACTIVATIONS that it may have.
// A matrix is a Float64Array, row by row: one row for each example, or for each input of a layer.

// Evenly distributed numbers from 0 up to 1, from a seed (mulberry32), with numbers that are normally
// distributed as .normal() (Box and Muller).
function randomly(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  uniform.normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return uniform;
}

// The numbers from 0 up to a count, shuffled (Fisher and Yates).
function shuffled(count, uniform) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// Layers with weights of standard deviation gain / sqrt(inputs), where Glorot's gain goes by the layer;
// `params` are the activation's, which hidden layers learn if `learned`.
function drawn({ sizes, gain, bias = 0, params = {}, learned = false }, uniform) {
  return sizes.slice(1).map((units, i) => {
    const inputs = sizes[i];
    const hidden = i < sizes.length - 2;
    const factor = gain === "glorot" ? Math.sqrt(2 * inputs / (inputs + units)) : gain;
    const weight = new Float64Array(inputs * units).map(() => factor / Math.sqrt(inputs) * uniform.normal());
    const layer = { inputs, units, weight, bias: new Float64Array(units).fill(hidden ? bias : 0) };
    if (hidden && learned) for (const [key, value] of Object.entries(params)) layer[key] = Float64Array.of(value);
    return layer;
  });
}

class Network {
  constructor(layers, activation, { params = {}, learned = false, scale = 1, offset = 0 } = {}) {
    this.activation = ACTIVATIONS[activation];
    this.names = Object.keys(this.activation.params);
    Object.assign(this, { layers, scale, offset, learned: learned ? this.names : [], params: { ...this.activation.params, ...params } });
  }

  // All that is trained, layer by layer, in the order of actlib.network's `weights`.
  get weights() {
    return this.layers.flatMap((layer, i) => [layer.weight, layer.bias, ...(this.hidden(i) ? this.learned.map((name) => layer[name]) : [])]);
  }

  hidden(i) {
    return i < this.layers.length - 1;
  }

  // The activation's parameters in a layer.
  given(layer) {
    return this.names.map((name) => layer[name]?.[0] ?? this.params[name]);
  }

  // What enters each layer, and its pre-activations; the last are the logits.
  forward(x) {
    const inputs = [x];
    const zs = [];
    this.layers.forEach((layer, i) => {
      const z = product(inputs[i], layer.weight, layer.inputs, layer.units, layer.bias);
      zs.push(z);
      if (this.hidden(i)) {
        const given = this.given(layer);
        inputs.push(z.map((z) => this.scale * this.activation.f(z, ...given) + this.offset));
      }
    });
    return { inputs, zs };
  }

  // The loss, its gradients with respect to f(z) and z in each layer, and what `forward` gives.
  passed(x, labels) {
    const { inputs, zs } = this.forward(x);
    const last = this.layers.length - 1;
    const { loss, upstream } = crossEntropy(zs[last], labels, this.layers[last].units);
    const [arriving, deltas] = [[], []];
    arriving[last] = deltas[last] = upstream;
    for (let i = last - 1; i >= 0; i -= 1) {
      arriving[i] = this.passedBack(deltas[i + 1], this.layers[i + 1]);
      deltas[i] = this.times(this.activation.slope, arriving[i], zs[i], this.layers[i]);
    }
    return { loss, arriving, deltas, inputs, zs };
  }

  // The same, with the gradients with respect to the weights.
  backward(x, labels) {
    const found = this.passed(x, labels);
    const gradients = this.layers.flatMap((layer, i) => {
      const [arriving, delta] = [found.arriving[i], found.deltas[i]];
      const learned = this.hidden(i) ? this.learned : [];
      const own = learned.map((name) => sum(this.times(this.activation.partials[name], arriving, found.zs[i], layer)));
      return [outer(found.inputs[i], delta, layer.inputs, layer.units), columns(delta, layer.units), ...own.map((total) => Float64Array.of(total))];
    });
    return { ...found, gradients };
  }

  // What arrives at a layer, times a derivative of its activation.
  times(derivative, arriving, z, layer) {
    const given = this.given(layer);
    return arriving.map((upstream, k) => upstream * derivative(z[k], ...given));
  }

  // The gradient with respect to what a layer was passed.
  passedBack(delta, { inputs, units, weight }) {
    const rows = delta.length / units;
    const out = new Float64Array(rows * inputs);
    for (let row = 0; row < rows; row += 1) {
      for (let i = 0; i < inputs; i += 1) {
        let total = 0;
        for (let k = 0; k < units; k += 1) total += delta[row * units + k] * weight[i * units + k];
        out[row * inputs + i] = this.scale * total;
      }
    }
    return out;
  }

  // The loss on examples, and the share of them whose largest logit is that of their class.
  judged(x, labels, { zs } = this.forward(x)) {
    const logits = zs.at(-1);
    const { units } = this.layers.at(-1);
    const right = labels.filter((label, row) => {
      const own = logits.subarray(row * units, (row + 1) * units);
      return Math.max(0, own.indexOf(Math.max(...own))) === label; // as with NumPy, NaN is of the first
    });
    return { loss: crossEntropy(logits, labels, units).loss, accuracy: right.length / labels.length };
  }
}

// a times b, and a bias in each row of the result.
function product(a, b, inner, units, bias) {
  const rows = a.length / inner;
  const out = new Float64Array(rows * units);
  for (let row = 0; row < rows; row += 1) {
    for (let k = 0; k < units; k += 1) {
      let total = 0;
      for (let i = 0; i < inner; i += 1) total += a[row * inner + i] * b[i * units + k];
      out[row * units + k] = total + bias[k];
    }
  }
  return out;
}

// The gradient with respect to a weight matrix: the sum over the rows of entered times delta.
function outer(entered, delta, inputs, units) {
  const out = new Float64Array(inputs * units);
  for (let row = 0; row < delta.length / units; row += 1) {
    for (let i = 0; i < inputs; i += 1) {
      for (let k = 0; k < units; k += 1) out[i * units + k] += entered[row * inputs + i] * delta[row * units + k];
    }
  }
  return out;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

function columns(values, units) {
  const out = new Float64Array(units);
  values.forEach((value, k) => { out[k % units] += value; });
  return out;
}

// The mean over the rows of minus the logarithm of softmax at the label, and its gradient.
function crossEntropy(logits, labels, units) {
  const upstream = new Float64Array(logits.length);
  let loss = 0;
  labels.forEach((label, row) => {
    const own = logits.subarray(row * units, (row + 1) * units);
    const largest = Math.max(...own);
    const total = Math.log(sum(own.map((logit) => Math.exp(logit - largest))));
    loss += largest + total - own[label];
    let others = 0;
    own.forEach((logit, k) => {
      const p = Math.exp(logit - largest - total);
      if (k !== label) others += p;
      upstream[row * units + k] = p / labels.length;
    });
    upstream[row * units + label] = -others / labels.length; // p - 1, not cancelled
  });
  return { loss: loss / labels.length, upstream };
}

// Gradient descent with momentum, and Adam with Keras's epsilon, as in actlib.optimisers.
class Descent {
  constructor(rate, momentum = 0) {
    Object.assign(this, { rate, momentum });
  }

  step(weights, gradients) {
    this.sums ??= weights.map((weight) => new Float64Array(weight.length));
    weights.forEach((weight, i) => weight.forEach((_, k) => {
      this.sums[i][k] = this.momentum * this.sums[i][k] + gradients[i][k];
      weight[k] -= this.rate * this.sums[i][k];
    }));
  }
}

class Adam {
  constructor(rate) {
    Object.assign(this, { rate, steps: 0 });
  }

  step(weights, gradients) {
    const zeros = () => weights.map((weight) => new Float64Array(weight.length));
    this.means ??= zeros();
    this.squares ??= zeros();
    this.steps += 1;
    const [first, second] = [0.9, 0.999];
    const rate = this.rate * Math.sqrt(1 - second ** this.steps) / (1 - first ** this.steps);
    weights.forEach((weight, i) => weight.forEach((_, k) => {
      const gradient = gradients[i][k];
      this.means[i][k] += (1 - first) * (gradient - this.means[i][k]);
      this.squares[i][k] += (1 - second) * (gradient * gradient - this.squares[i][k]);
      weight[k] -= rate * this.means[i][k] / (Math.sqrt(this.squares[i][k]) + 1e-7);
    }));
  }
}
