// The sidebar shows where the page is, and not where it was left on another page; on a phone, too,
// where it is in a dialog while it is open.
const toCurrent = (sidebar) => {
  const links = sidebar?.querySelectorAll(".bd-docs-nav .active > a");
  if (!links?.length) return;
  const place = links[links.length - 1].getBoundingClientRect().top - sidebar.getBoundingClientRect().top;
  if (place < 0 || place > sidebar.clientHeight * .8) sidebar.scrollTop += place - sidebar.clientHeight / 3;
};
addEventListener("DOMContentLoaded", () => {
  toCurrent(document.querySelector(".bd-sidebar-primary"));
  const drawer = document.getElementById("pst-primary-sidebar-modal");
  document.querySelector(".primary-toggle")?.addEventListener("click", () => setTimeout(toCurrent, 0, drawer));
  // A drawer closes behind who goes to a heading.
  for (const dialog of document.querySelectorAll("dialog[id^=pst-]"))
    dialog.addEventListener("click", ({ target }) => {
      if (target.closest("a[href*='#']")) dialog.close();
    });
});

// A wide table says that it goes on.
addEventListener("DOMContentLoaded", () => {
  const look = (box) => box.toggleAttribute("data-goes-on", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  const sized = new ResizeObserver((changes) => changes.forEach(({ target }) => look(target)));
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, div.cell_output > .output")) {
    sized.observe(box);
    box.addEventListener("scroll", () => look(box), { passive: true });
  }
});

// The glossary shows the terms that have what is typed in their names, English or Chinese.
addEventListener("DOMContentLoaded", () => {
  const field = document.querySelector(".glossary-filter input");
  if (!field) return;
  const terms = [...document.querySelectorAll("dl.glossary > dd")].map((text) => {
    const parts = [text];
    for (let name = text.previousElementSibling; name?.tagName === "DT"; name = name.previousElementSibling) parts.push(name);
    const names = [text.querySelector("strong"), ...parts.slice(1)].map((part) => part?.textContent ?? "");
    return { parts, names: names.join("\n").toLowerCase() };
  });
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let found = 0;
    for (const { parts, names } of terms) {
      const shown = names.includes(wanted);
      for (const part of parts) part.hidden = !shown;
      found += shown;
    }
    for (const letter of document.querySelectorAll("section[id^=letter-]"))
      letter.hidden = !letter.querySelector("dd:not([hidden])");
    field.closest("p").querySelector("[role=status]").textContent = wanted && `${found} of ${terms.length} terms`;
  });
});
