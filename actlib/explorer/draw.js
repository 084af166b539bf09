// What the book's instruments share; each has this in front of its own script, in one block.

const svg = (tag, attributes, ...content) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
};

const html = (tag, properties, ...content) => {
  const element = Object.assign(document.createElement(tag), properties);
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

// Has a chart say how far along it is pointed at, with a button down or a finger, and whether that is
// where one begins. A finger that goes up or down scrolls the page, so it is waited for.
function dragged(chart, move) {
  let down;
  const drag = (event, begins = false) => move(event.clientX - chart.getBoundingClientRect().left, begins);
  const begin = () => {
    drag(down, true);
    down = undefined;
  };
  chart.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    chart.setPointerCapture(event.pointerId);
    down = event;
    if (event.pointerType !== "touch") begin();
  });
  chart.addEventListener("pointermove", (event) => {
    if (!chart.hasPointerCapture(event.pointerId)) return;
    if (down && Math.abs(event.clientX - down.clientX) > Math.abs(event.clientY - down.clientY)) begin();
    if (!down) drag(event);
  });
  chart.addEventListener("pointerup", () => down && begin());
  chart.addEventListener("pointercancel", () => { down = undefined; });
}

// Draws on a chart that goes from `left` to `right` and from `low` to `high`, within margins: marks
// are pairs of a place and what is written there, points pairs of places.
function plane(box, pad, [left, right], [low, high]) {
  const [end, bottom] = [box.width - pad.right, box.height - pad.bottom];
  const x = (value) => (pad.left + (value - left) / (right - left) * (end - pad.left)).toFixed(2);
  const y = (value) => (pad.top + (high - value) / (high - low) * (bottom - pad.top)).toFixed(2);
  return {
    x,
    y,
    across: (marks) => marks.flatMap(([place, words]) => [line(x(place), pad.top, x(place), bottom, "grid"), text(x(place), bottom + 17, "middle", words)]),
    up: (marks) => marks.flatMap(([place, words]) => [line(pad.left, y(place), end, y(place), "grid"), text(pad.left - 6, Number(y(place)) + 4, "end", words)]),
    below: (words) => text((pad.left + end) / 2, box.height - 4, "middle", words),
    upright: (place, name) => line(x(place), pad.top, x(place), bottom, name),
    path: (points, name) => svg("path", { d: `M${points.map(([across, up]) => `${x(across)} ${y(up)}`).join("L")}`, class: name }),
    dot: (across, up, r, name) => svg("circle", { cx: x(across), cy: y(up), r, class: `dot filled ${name}` }),
  };
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

// Has the address of the page that an instrument links to hold its view: `read` takes one as it stands
// there, `written` gives one, and `words` says what is seen. Other fragments, without the `key`, are
// places in the page. On other pages, and without a link, an instrument has the view that it begins
// with. `changed` is to be called after each change of the view, and `telling` tells of what else is new.
function keepsView(root, key, { read, written, words, draw }) {
  const share = root.querySelector(".share");
  const link = share?.querySelector("a");
  const home = link?.pathname === location.pathname;
  let touched = false;
  const telling = settled(() => {
    root.querySelector(".said").textContent = words();
    if (!share) return;
    link.hash = written();
    if (home && touched) history.replaceState(null, "", link.hash);
  });
  const see = (view) => {
    read(view);
    draw();
    telling.now();
  };
  const come = () => {
    const view = location.hash.slice(1);
    if (!home || !new URLSearchParams(view).has(key)) return;
    see(view);
    root.scrollIntoView({ block: root.offsetHeight > innerHeight ? "start" : "nearest" });
  };
  see(root.dataset.state);
  if (share) {
    copies(share, () => {
      telling.now();
      return link.href;
    });
    come();
    addEventListener("hashchange", come);
    // A link to what the address holds already doesn't change it.
    addEventListener("click", ({ target }) => {
      const other = target.closest("a");
      if (other !== link && other?.href === location.href) come();
    });
  }
  const changed = () => {
    touched = true;
    draw();
    telling.soon();
  };
  return { changed, telling };
}

// A notebook may have a script several times. Outputs are silent: a slider says its own value, and .said the rest.
function startAll(selector, start) {
  for (const root of document.querySelectorAll(`${selector}:not([data-ready])`)) {
    root.dataset.ready = "";
    for (const output of root.querySelectorAll("output")) output.ariaLive = "off";
    start(root);
  }
}
