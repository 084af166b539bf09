// Two networks that learn the same points in the page, side by side; train.py says what can be chosen.
// A worker runs this script, too: it finds no page, and answers with results.

const SOURCE = typeof document === "undefined" ? "" : document.currentScript?.src;
const SIDES = ["a", "b"];
const SHARED = ["data", "batch", "seed"];
const SETTING = ["f", "alpha", "layers", "units", "start", "passes", "optimiser", "rate"];
const EVERY = 10; // steps from one reading to the next
const FRAME = { steps: 12, milliseconds: 8 }; // at most, of both networks in a frame
const MOST_READINGS = 200;

// Choices as they stand in an address, with the numbers among them as such.
const numbered = (choices) => Object.fromEntries(Object.entries(choices).map(([key, value]) => [key, Number(value) || value]));

function begin(root) {
  const find = (selector) => root.querySelector(selector);
  const all = (selector) => [...root.querySelectorAll(selector)];
  const claims = JSON.parse(find("script").textContent);
  const inputs = Object.fromEntries([...SHARED, ...SETTING, "point", "across", "up", "class"].map((name) => [name, find(`[name=${name}]`)]));
  const surfaces = all(".surface");
  const charts = Object.fromEntries(["loss", "accuracy", "norms", "trials"].map((name) => [name, { chart: find(`.chart.${name}`), box: { width: 0, height: 0 } }]));
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const view = { shared: {}, a: {}, b: {}, points: "", claim: "" };
  let runs, histories, every, until, results, wanted, frame;
  let chosen = { layer: 0, unit: 0 };
  let [running, inView, busy] = [false, true, false];

  const side = () => find("[name=side]:checked").value;
  const next = () => results[0].length > results[1].length ? 1 : 0; // whose turn it is, with a seed
  const points = () => pointsOf(view.shared.data, view.points);
  const run = () => runs[SIDES.indexOf(side())];
  const offered = (name, value) => [...inputs[name].options].some((option) => option.value === value);

  // A view, as it stands in an address. What makes no sense there is left as it is. A claim is one of
  // its own networks, and of no others.
  function read(text) {
    const given = new URLSearchParams(text);
    const take = (into, key, name) => { if (offered(name, given.get(key))) into[name] = given.get(key); };
    SHARED.forEach((name) => take(view.shared, name, name));
    SIDES.forEach((own) => SETTING.forEach((name) => take(view[own], `${own}.${name}`, name)));
    view.points = written(given.get("points") ?? "");
    if (Object.hasOwn(claims, given.get("claim"))) view.claim = given.get("claim");
    if (claims[view.claim] !== `${address()}`) view.claim = "";
    for (const radio of all(".claims input")) radio.checked = false;
    reset();
  }

  const address = () => new URLSearchParams([
    ["claim", view.claim], ...SHARED.map((name) => [name, view.shared[name]]), ["points", view.points],
    ...SIDES.flatMap((own) => SETTING.map((name) => [`${own}.${name}`, view[own][name]])),
  ]);

  // Both networks at their start.
  function reset() {
    pause();
    trials.stop();
    [results, wanted, busy] = [[[], []], 0, false];
    runs = SIDES.map((own) => new Run(numbered(view[own]), points(), numbered(view.shared)));
    histories = runs.map(() => []);
    [every, until] = [EVERY, STEPS];
    note();
    chosen = { layer: Math.min(chosen.layer, run().units.length - 1), unit: Math.min(chosen.unit, run().units[0].length - 1) };
  }

  const empty = () => !runs[0].points.train.labels.length;

  // A reading of both; when there are many, every other one is dropped, and fewer are taken.
  function note() {
    runs.forEach((run, i) => {
      run.watch();
      histories[i].push({ steps: run.steps, loss: run.train.loss, accuracy: 100 * (run.test ?? run.train).accuracy });
    });
    if (histories[0].length < MOST_READINGS) return;
    every *= 2;
    histories = histories.map((history) => history.filter((_, i) => i % 2 === 0));
  }

  function step() {
    runs.forEach((run) => run.step());
    if (runs[0].steps % every === 0) note();
  }

  function pause() {
    running = false;
    cancelAnimationFrame(frame);
    find(".run").textContent = `Run ${STEPS.toLocaleString("en")} steps`;
  }

  function play() {
    if (empty()) return;
    running = true;
    if (runs[0].steps >= until) until = runs[0].steps + STEPS;
    find(".run").textContent = "Pause";
    frame = requestAnimationFrame(advance);
  }

  // A frame: some steps of both, and one thing drawn, in turn.
  function advance() {
    const end = performance.now() + FRAME.milliseconds;
    const most = runs[0].steps + (still.matches ? Infinity : FRAME.steps);
    while (runs[0].steps < Math.min(until, most) && performance.now() < end) step();
    if (runs[0].steps >= until) {
      pause();
      note();
      draw();
      return telling.now();
    }
    counted();
    if (!still.matches) chores[turn = (turn + 1) % chores.length]();
    if (inView) frame = requestAnimationFrame(advance);
  }

  let turn = 0;
  const sized = (name, draw) => charts[name].box.width && draw(charts[name].chart, charts[name].box);
  const row = () => Number(inputs.point.value) - 1;
  const chores = [
    () => surface(surfaces[0], runs[0], row()),
    () => surface(surfaces[1], runs[1], row()),
    () => draw.tiles(run(), chosen),
    ...["loss", "accuracy"].map((key) => () => sized(key, (chart, box) => curves(chart, box, histories, key, key === "loss" ? 1 : 100))),
    report,
    () => sized("norms", (chart, box) => bars(chart, box, runs.map((run) => empty() ? [] : run.norms()))),
    () => followed(root, run(), row(), chosen),
  ];

  function scored() {
    sized("trials", (chart, box) => dotted(chart, box, results));
    find(".settles").textContent = settled95(results);
  }

  // The numbers at once, and pictures as soon as frames have the time.
  let waiting = [];
  let due;
  function draw() {
    show();
    report();
    waiting = [...chores, scored];
    due ??= requestAnimationFrame(drain);
  }
  function drain() {
    const end = performance.now() + FRAME.milliseconds;
    while (waiting.length && performance.now() < end) waiting.shift()();
    due = waiting.length ? requestAnimationFrame(drain) : undefined;
  }
  draw.tiles = tiled(find(".tiles"), (unit) => {
    chosen = unit;
    draw();
    telling.soon();
  });

  // What the controls say.
  function show() {
    Object.entries({ ...view.shared, ...view[side()] }).forEach(([name, value]) => { inputs[name].value = value; });
    inputs.alpha.disabled = !LEAKS[inputs.f.value];
    inputs.point.max = Math.max(1, runs[0].points.train.labels.length);
    for (const name of ["point", "across", "up"]) inputs[name].closest(".slider").querySelector("output").value = minus(inputs[name].value);
    for (const button of all(".presets button")) button.setAttribute("aria-pressed", button.value === view.claim);
    counted();
    all(".name span").forEach((name, i) => { name.textContent = named(SIDES[i]); });
    answer();
  }

  const counted = () => { find(".steps").value = empty() ? "no points yet" : `step ${runs[0].steps.toLocaleString("en")}`; };
  const text = (name, value) => [...inputs[name].options].find((option) => option.value === value).text;
  function named(own) {
    const { f, alpha, layers, units, start, passes, optimiser, rate } = view[own];
    const leak = LEAKS[f] ? ` ${alpha}` : "";
    const curve = passes === "plain" ? "" : `, ${text("passes", passes)}`;
    return `${text("f", f)}${leak}${curve}, ${layers} × ${units} units, ${text("start", start)}, ${text("optimiser", optimiser)}, rate ${rate}`;
  }

  // The claim, and what came out, once it has run, beside what was guessed.
  function answer() {
    for (const panel of all("[data-claim]")) {
      const chosen = panel.dataset.claim === view.claim;
      const told = chosen && runs[0].steps >= STEPS;
      panel.classList.toggle("chosen", chosen);
      panel.classList.toggle("told", told);
      const [guess, answer] = [panel.querySelector("input:checked"), panel.querySelector(".answer")];
      if (!told || !answer) continue;
      const verdict = !guess ? "" : guess.value === answer.dataset.right ? "As you said. " : "Not as you said. ";
      const right = runs.map((run, i) => `${"AB"[i]} got ${share(run.test)} right.`).join(" ");
      answer.querySelector("span").textContent = `${verdict}${right}`;
    }
  }

  const share = (found) => found ? `${(100 * found.accuracy).toFixed(1)}%` : "–";
  function numbers({ train, test, units }) {
    const all = units.flat();
    const count = (word) => all.filter((unit) => unit[word]).length;
    const [dead, flat] = ["dead", "flat"].map((word) => `${count(word)} of ${all.length}`);
    const back = count("back");
    return [told(train.loss), test ? told(test.loss) : "–", share(train), share(test), back ? `${dead}, ${back} back` : dead, flat];
  }

  function report() {
    const shown = empty() ? [] : runs.map(numbers);
    all("table:not(.trace) tbody tr").forEach((line, i) => line.querySelectorAll("td").forEach((cell, own) => {
      cell.textContent = shown[own]?.[i] ?? "–";
    }));
  }

  function spoken() {
    if (empty()) return "There are no points yet.";
    const each = runs.map((run, i) => `${"AB"[i]}: ${named(SIDES[i])}. Right ${share(run.test ?? run.train)}, loss ${told(run.train.loss)}.`);
    return `Step ${runs[0].steps}. ${each.join(" ")} ${find(".told .answer")?.textContent ?? ""} ${results[1].length ? settled95(results) : ""}`;
  }

  // One seed after another, as long as the page is seen.
  const trials = background((value) => {
    results[next()].push(value);
    busy = false;
    scored();
    goOn();
    if (!busy) telling.now();
  });
  function goOn() {
    if (busy || !inView || document.hidden || empty() || results[1].length >= wanted) return;
    busy = true;
    trials.start({ ...numbered(view.shared), setting: numbered(view[SIDES[next()]]), own: view.points, seed: results[next()].length + 1 });
  }
  const seeds = (count) => {
    wanted = Math.min(MOST, count);
    goOn();
    scored();
  };

  const begun = () => {
    reset();
    changed();
  };
  const own = (text) => {
    view.points = written(text);
    view.shared.data = "own";
    view.claim = "";
    begun();
  };

  root.addEventListener("input", ({ target }) => {
    if (target.name === "side" || target.name === "point") return changed();
    if (["across", "up"].includes(target.name)) return show();
    const into = SHARED.includes(target.name) ? view.shared : SETTING.includes(target.name) ? view[side()] : undefined;
    if (!into) return;
    into[target.name] = target.value;
    if (target.name === "data") find(".own").open = target.value === "own";
    view.claim = "";
    begun();
  });
  const press = (selector, action) => find(selector).addEventListener("click", action);
  press(".run", () => {
    if (!running) return play();
    pause();
    draw();
    telling.now();
  });
  press(".once", () => {
    pause();
    if (empty()) return;
    step();
    note();
    draw();
    telling.soon();
  });
  press(".again", () => {
    reset();
    draw();
    telling.now();
  });
  press(".more", () => seeds(Math.max(wanted, results[1].length) + 1));
  press(".all", () => seeds(MOST));
  press(".set", () => own(view.points + placed(Number(inputs.across.value), Number(inputs.up.value), inputs.class.value)));
  press(".own .back", () => own(view.points.slice(0, -3)));
  press(".own .none", () => own(""));
  for (const button of all(".presets button")) {
    button.addEventListener("click", () => {
      read(claims[button.value]);
      changed();
    });
  }

  // A click sets a point of the reader's own, or chooses the nearest of the others.
  for (const canvas of surfaces) {
    canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const [x, y] = [REACH * (2 * offsetX / canvas.clientWidth - 1), REACH * (1 - 2 * offsetY / canvas.clientHeight)];
      if (view.shared.data === "own") return own(view.points + placed(x, y, inputs.class.value));
      const { train } = runs[0].points;
      inputs.point.value = 1 + near(train.labels.map((_, i) => Math.hypot(train.x[2 * i] - x, train.x[2 * i + 1] - y)), 0);
      changed();
    });
    whenSized(canvas, {}, draw);
  }
  for (const { chart, box } of Object.values(charts)) whenSized(chart, box, draw);
  addEventListener("visibilitychange", goOn);

  new IntersectionObserver(([{ isIntersecting }]) => {
    inView = isIntersecting;
    if (!inView) return cancelAnimationFrame(frame);
    if (running) frame = requestAnimationFrame(advance);
    goOn();
  }).observe(root);

  const { changed, telling } = keepsView(root, "a.f", { read, written: address, words: spoken, draw });
}

if (SOURCE === "") {
  onmessage = ({ data: job }) => {
    const steps = trial(job);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return postMessage(value);
    }
  };
} else startAll(".train", begin);
