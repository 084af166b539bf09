// The contents beside the page mark the section that is being read: the last one which crosses a line
// near the top of the screen, or the one that a link led to, however short it is.
const entries = [...document.querySelectorAll("#pst-page-toc-nav .toc-entry")];
const links = new Map(entries.map((entry) => {
  const link = entry.querySelector("a");
  return [document.getElementById(link.hash.slice(1)), link];
}));
links.delete(null);

function mark(section) {
  const link = links.get(section);
  for (const other of links.values()) {
    other.classList.toggle("active", other === link);
    other.ariaCurrent = other === link ? "true" : null;
  }
  for (const entry of entries) entry.classList.toggle("active", entry.contains(link));
}

const crossing = new Set();
let led = 0;
const watch = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) crossing[isIntersecting ? "add" : "delete"](target);
  if (performance.now() < led) return;
  mark([...links.keys()].findLast((section) => crossing.has(section)));
}, { rootMargin: "-25% 0px -75% 0px" });
for (const section of links.keys()) watch.observe(section);

function follow() {
  const section = document.getElementById(location.hash.slice(1));
  if (!links.has(section)) return;
  led = performance.now() + 1000;
  mark(section);
}
follow();
addEventListener("hashchange", follow);
