// The glossary shows the terms that have what is typed in their names, English or Chinese.
const field = document.querySelector(".glossary-filter input");

function entry(text) {
  const parts = [text];
  for (let name = text.previousElementSibling; name?.tagName === "DT"; name = name.previousElementSibling) parts.push(name);
  const names = [text.querySelector("strong"), ...parts.slice(1)].map((part) => part?.textContent ?? "");
  return { parts, names: names.join("\n").toLowerCase() };
}

const entries = field ? [...document.querySelectorAll("dl.glossary > dd")].map(entry) : [];
field?.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  let found = 0;
  for (const { parts, names } of entries) {
    const shown = names.includes(wanted);
    for (const part of parts) part.hidden = !shown;
    found += shown;
  }
  for (const letter of document.querySelectorAll("section[id^=letter-]"))
    letter.hidden = !letter.querySelector("dd:not([hidden])");
  field.closest("p").querySelector("[role=status]").textContent = wanted && `${found} of ${entries.length} terms`;
});
