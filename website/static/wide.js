// A wide table says that it goes on.
const look = (box) => box.toggleAttribute("data-goes-on", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
const sized = new ResizeObserver((changes) => changes.forEach(({ target }) => look(target)));
for (const box of document.querySelectorAll(".pst-scrollable-table-container, div.cell_output > .output")) {
  sized.observe(box);
  box.addEventListener("scroll", () => look(box), { passive: true });
}
