// What opens above the page: on narrow screens the two sidebars, and the field to search with.
import { toCurrent } from "./sidebar.js";

function outside(dialog, { clientX: x, clientY: y }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}

function move(from, to) {
  to.append(...from.childNodes);
  [to.className, from.className] = [from.className, to.className];
}

for (const side of ["primary", "secondary"]) {
  const button = document.querySelector(`.${side}-toggle`);
  const sidebar = document.getElementById(`pst-${side}-sidebar`);
  const dialog = document.getElementById(`pst-${side}-sidebar-modal`);
  if (!button || !dialog) continue;
  button.addEventListener("click", () => {
    move(sidebar, dialog);
    dialog.showModal();
    toCurrent(dialog);
  });
  dialog.addEventListener("close", () => {
    move(dialog, sidebar);
    button.focus({ preventScroll: true });
  });
  // A link into the page that is there already shows it.
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("a[href*='#']") || outside(dialog, event)) dialog.close();
  });
}

// The search page has a field of its own, and who comes there is here to type.
const dialog = document.getElementById("pst-search-dialog");
const own = document.querySelector(".bd-search-container input");
own?.focus();

function search() {
  if (own) own.select();
  else if (dialog.open) dialog.close();
  else dialog.showModal();
}

const mac = /^(Mac|iPhone|iPad)/.test(navigator.platform);
if (mac) for (const key of document.querySelectorAll(".kbd-shortcut__modifier")) key.textContent = "⌘";
for (const button of document.querySelectorAll(".search-button__button")) button.addEventListener("click", search);
dialog.addEventListener("click", (event) => outside(dialog, event) && dialog.close());
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(mac ? event.metaKey : event.ctrlKey)) return;
  event.preventDefault();
  search();
});

// Menus of buttons in the header, which lead to the repository.
const toggles = [...document.querySelectorAll(".dropdown-toggle")];
function toggle(chosen) {
  for (const button of toggles) {
    const open = button.contains(chosen) && button.ariaExpanded !== "true";
    button.ariaExpanded = String(open);
    button.nextElementSibling.classList.toggle("show", open);
  }
}
addEventListener("click", ({ target }) => toggle(target));
addEventListener("keydown", ({ key }) => key === "Escape" && toggle(null));
