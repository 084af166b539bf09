// What may scroll can be reached by keyboard, see pages.py; what turns out not to scroll need not be.
// An observer is told of sizes; asking for them would hold up the page.
const watch = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = target;
    if (scrollWidth > clientWidth || scrollHeight > clientHeight) target.tabIndex = 0;
    else if (target !== document.activeElement) target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll("main [tabindex='0']")) watch.observe(box);
