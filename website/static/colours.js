// The button that changes the colours says which they are. (Its tooltip asks for the attribute.)
addEventListener("DOMContentLoaded", () => {
  const modes = { light: "light", dark: "dark", auto: "as the system has them" };
  const root = document.documentElement;
  const say = () => {
    for (const button of document.querySelectorAll(".theme-switch-button")) {
      button.ariaLabel = `Colours: ${modes[root.dataset.mode]}`;
      button.dataset.bsOriginalTitle = button.ariaLabel;
      const tip = document.getElementById(button.getAttribute("aria-describedby"));
      if (tip) tip.querySelector(".tooltip-inner").textContent = button.ariaLabel;
    }
  };
  new MutationObserver(say).observe(root, { attributeFilter: ["data-mode"] });
  say();
});
