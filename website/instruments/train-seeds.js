// The same two networks from one seed after another: why one run is no answer.

// What a network gets right after some steps, in percent; it pauses now and then.
function* trial({ setting, data, own, seed, batch }) {
  const run = new Run(setting, pointsOf(data, own), { seed, batch });
  while (run.steps < STEPS) {
    run.step();
    if (run.steps % 5 === 0) yield;
  }
  run.watch();
  return 100 * (run.test ?? run.train).accuracy;
}

// The mean, and its 95% interval by Student's t, as actlib.study.interval has them.
function settling(values) {
  const mean = sum(values) / values.length;
  const square = sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1);
  const alike = values.every((value) => value === values[0]) && values.length < 6;
  const half = values.length < 2 || alike ? Infinity : QUANTILES[values.length - 2] * Math.sqrt(square / values.length);
  return { mean, low: mean - half, high: mean + half };
}

// Does one trial after another, in a worker, or in slices of the page's own time where there is none,
// as in a page that was opened as a file. `arrived` is told of each result.
function background(arrived) {
  let worker;
  let turn = 0;

  function sliced(job, own) {
    const steps = trial(job);
    const slice = () => {
      const until = performance.now() + 8;
      while (own === turn && performance.now() < until) {
        const { done, value } = steps.next();
        if (done) return arrived(value);
      }
      if (own === turn) setTimeout(slice);
    };
    slice();
  }

  return {
    start(job) {
      turn += 1;
      const own = turn;
      try {
        worker ??= new Worker(SOURCE);
        worker.onmessage = ({ data }) => own === turn && arrived(data);
        worker.onerror = (event) => {
          event.preventDefault();
          if (own === turn) sliced(job, own);
        };
        worker.postMessage(job);
      } catch {
        sliced(job, own);
      }
    },
    stop() {
      turn += 1;
      worker?.terminate();
      worker = undefined;
    },
  };
}

// Dots of both, their means and their intervals, from 0 to 100.
function dotted(chart, box, results) {
  const { x, across } = plane(box, { ...MARGINS, left: 20, top: 0 }, [0, 100], [0, 1]);
  const rows = results.flatMap((values, side) => {
    const y = 24 + 40 * side;
    const name = svg("text", { x: 0, y: y + 4 }, "AB"[side]);
    const dots = values.map((value, i) => svg("circle", { cx: x(value), cy: y - 8 + 2 * (i % 5), r: 3, class: `dot ${"ab"[side]}` }));
    if (!values.length) return [name];
    const { mean, low, high } = settling(values);
    const bar = Number.isFinite(low) ? [line(x(Math.max(0, low)), y + 11, x(Math.min(100, high)), y + 11, `curve ${"ab"[side]}`)] : [];
    return [name, ...dots, ...bar, svg("rect", { x: x(mean) - 1.5, y: y + 4, width: 3, height: 14, class: `bars ${"ab"[side]}` })];
  });
  show(chart, box, ...across([0, 25, 50, 75, 100].map((place) => [place, `${place}%`])), ...rows);
}

// The same in words.
function settled95(results) {
  const one = (values, unit) => {
    const { mean, low, high } = settling(values);
    const bounds = Number.isFinite(low) ? `95% interval ${minus(low.toFixed(1))} to ${minus(high.toFixed(1))}` : "no interval yet";
    return `${minus(mean.toFixed(1))}${unit} (${bounds})`;
  };
  const [a, b] = results;
  if (!b.length) return "One run is no answer: another seed may tell another story. See how far the dots lie apart.";
  const differences = b.map((value, i) => value - a[i]);
  return `Right, on average over ${b.length} ${b.length > 1 ? "seeds" : "seed"}: A ${one(a.slice(0, b.length), "%")}, B ${one(b, "%")}. `
    + `B − A, seed by seed: ${one(differences, " points")}.`;
}
