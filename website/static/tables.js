// Tables of cells with the tag "sortable": their column titles sort them, by number where there is
// one. What is empty comes last, and formulas have no order.
const number = (text) => parseFloat(text.replace("−", "-").replace("∞", "Infinity"));
const order = (a, b) => number(a) - number(b) || a.localeCompare(b, "en");

function sort(title, table) {
  const sign = title.ariaSort === "ascending" ? -1 : 1;
  const text = (row) => row.cells[title.cellIndex].textContent.trim();
  const rows = [...table.tBodies[0].rows].sort((a, b) => !text(a) - !text(b) || sign * order(text(a), text(b)));
  for (const other of title.parentElement.cells) other.removeAttribute("aria-sort");
  title.ariaSort = sign > 0 ? "ascending" : "descending";
  table.tBodies[0].append(...rows);
}

for (const title of document.querySelectorAll(".tag_sortable th")) {
  const table = title.closest("table");
  if (table.querySelector(`td:nth-child(${title.cellIndex + 1}) math`)) continue;
  const button = document.createElement("button");
  const words = title.querySelector("p") ?? title;
  button.append(...words.childNodes);
  button.onclick = () => sort(title, table);
  words.append(button);
}
