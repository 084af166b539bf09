// What scrolls can be reached by keyboard. An observer is told of sizes; asking for them, as the theme
// does, would hold up the page.
const boxes = "div.math > .katex-display, div.cell_output, .cell_output > .output, pre, .pst-scrollable-table-container";
const watch = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = target;
    if (scrollWidth > clientWidth || scrollHeight > clientHeight) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(boxes)) watch.observe(box);
});

// Paper is white.
const shown = document.documentElement.dataset;
let theme;
addEventListener("beforeprint", () => { theme = shown.theme; shown.theme = "light"; });
addEventListener("afterprint", () => { shown.theme = theme; });

// A visitor of the search page is here to type.
addEventListener("DOMContentLoaded", () => document.querySelector(".bd-search-container input")?.focus());

// Without a server, pages cannot be asked for the words around what was found.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Sections below the first screen are laid out one by one, when there is nothing else to do.
const later = window.requestIdleCallback ?? setTimeout;
function layOut([section, ...rest]) {
  if (!section) return document.documentElement.classList.remove("late");
  section.style.contentVisibility = "visible";
  requestAnimationFrame(() => later(() => layOut(rest)));
}
addEventListener("load", () => later(() => layOut([...document.querySelectorAll(".bd-article > section > section")])));

// Tables of cells with the tag "sortable": their column titles sort them, by number where there is
// one. What is empty comes last, and formulas have no order.
addEventListener("DOMContentLoaded", () => {
  const number = (text) => parseFloat(text.replace("−", "-").replace("∞", "Infinity"));
  const order = (a, b) => number(a) - number(b) || a.localeCompare(b, "en");
  const sort = (title, table) => {
    const sign = title.ariaSort === "ascending" ? -1 : 1;
    const text = (row) => row.cells[title.cellIndex].textContent.trim();
    const rows = [...table.tBodies[0].rows].sort((a, b) => !text(a) - !text(b) || sign * order(text(a), text(b)));
    for (const other of title.parentElement.cells) other.removeAttribute("aria-sort");
    title.ariaSort = sign > 0 ? "ascending" : "descending";
    table.tBodies[0].append(...rows);
  };
  for (const title of document.querySelectorAll(".tag_sortable th")) {
    const table = title.closest("table");
    if (table.querySelector(`td:nth-child(${title.cellIndex + 1}) .math`)) continue;
    const button = document.createElement("button");
    const words = title.querySelector("p");
    button.append(...words.childNodes);
    button.onclick = () => sort(title, table);
    words.append(button);
  }
});
