// What scrolls sideways can be reached by keyboard.
const boxes = "div.math > .katex-display, div.cell_output, div.highlight pre, .pst-scrollable-table-container";
const watch = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
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
