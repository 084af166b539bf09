// The button for the theme: first the system's, then the other one, then the same one for good.
// What was chosen is set before the page is drawn; see pages.py. Storage may be forbidden.
const root = document.documentElement.dataset;
const dark = matchMedia("(prefers-color-scheme: dark)");
const buttons = document.querySelectorAll(".theme-switch-button");
const names = { auto: "as the system", light: "light", dark: "dark" };

function show(mode) {
  root.mode = mode;
  root.theme = mode !== "auto" ? mode : dark.matches ? "dark" : "light";
  for (const button of buttons) button.ariaLabel = button.title = `Theme: ${names[mode]}`;
}

function next() {
  const modes = dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  show(modes[(modes.indexOf(root.mode) + 1) % modes.length]);
  try { localStorage.mode = root.mode; } catch { /* then it holds for this page */ }
}

show(root.mode);
dark.addEventListener("change", () => show(root.mode));
for (const button of buttons) button.addEventListener("click", next);

// Paper is white.
addEventListener("beforeprint", () => { root.theme = "light"; });
addEventListener("afterprint", () => show(root.mode));
