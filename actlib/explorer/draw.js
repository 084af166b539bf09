// What the book's instruments share; each has this in front of its own script, in one block.

const svg = (tag, attributes, ...content) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
};

const line = (x1, y1, x2, y2, name) => svg("line", { x1, y1, x2, y2, class: name });
const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor }, words);

const minus = (text) => text.replace("-", "−");
const power = (exponent, base = 10) => `${base}${`${exponent}`.replace(/./g, (digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)])}`;

function scientific(value) {
  if (Math.abs(value) >= 0.001 && Math.abs(value) < 1000) return minus(`${Number(value.toPrecision(2))}`);
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${minus(mantissa)} × ${power(Number(exponent))}`;
}

const near = (values, value) => values.reduce((best, other, i) =>
  Math.abs(other - value) < Math.abs(values[best] - value) ? i : best, 0);

// A number that an address holds, if it does.
function numberOf(given, key) {
  const value = given.get(key)?.trim();
  return value && Number.isFinite(Number(value)) ? Number(value) : undefined;
}

// What follows a change, but not at every step of a slider: who listens would never hear the end,
// and browsers refuse to change the address so often.
function settled(action) {
  let timer;
  const now = () => {
    clearTimeout(timer);
    timer = undefined;
    action();
  };
  return { now, soon: () => { timer ??= setTimeout(now, 400); } };
}

// Has a chart say how far along it is pointed at, with a button down or a finger.
function dragged(chart, move) {
  const drag = (event) => move(event.clientX - chart.getBoundingClientRect().left);
  chart.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    chart.setPointerCapture(event.pointerId);
    drag(event);
  });
  chart.addEventListener("pointermove", (event) => chart.hasPointerCapture(event.pointerId) && drag(event));
}

// Shows what is drawn on a chart. On paper, where no script draws it anew, it is made to fit.
function show(chart, { width, height }, ...content) {
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.replaceChildren(...content);
}

// Has a chart drawn when its size is known, and whenever that changes.
function whenSized(chart, box, draw) {
  new ResizeObserver(([{ contentRect }]) => {
    Object.assign(box, { width: contentRect.width, height: contentRect.height });
    draw();
  }).observe(chart);
}

// Has a button copy the link to a view, and say so.
function copies(share, address) {
  const told = share.querySelector("[role=status]");
  share.querySelector("button").addEventListener("click", async () => {
    told.textContent = "";
    try {
      await navigator.clipboard.writeText(address());
      told.textContent = "Link copied.";
    } catch {
      told.textContent = "The browser doesn’t allow copying here; the link itself holds the view.";
    }
  });
}

// Has the page's address hold the view of an instrument: `read` takes one as it stands there, `written`
// gives one, and `words` says what is seen. Other fragments, without the `key`, are places in the page.
// An instrument without a link has the view that it begins with. What is returned is to be called after
// each change.
function keepsView(root, key, { read, written, words, draw }) {
  const share = root.querySelector(".share");
  const link = share?.querySelector("a");
  let touched = false;
  const telling = settled(() => {
    root.querySelector(".said").textContent = words();
    if (!share) return;
    link.hash = written();
    if (touched) history.replaceState(null, "", link.hash);
  });
  const see = (view) => {
    read(view);
    draw();
    telling.now();
  };
  const come = () => {
    const view = location.hash.slice(1);
    if (!new URLSearchParams(view).has(key)) return;
    see(view);
    root.scrollIntoView({ block: "nearest" });
  };
  see(root.dataset.state);
  if (share) {
    copies(share, () => {
      telling.now();
      return link.href;
    });
    come();
    addEventListener("hashchange", come);
  }
  return () => {
    touched = true;
    draw();
    telling.soon();
  };
}

// A notebook may have a script several times.
function startAll(selector, start) {
  for (const root of document.querySelectorAll(`${selector}:not([data-ready])`)) {
    root.dataset.ready = "";
    start(root);
  }
}
