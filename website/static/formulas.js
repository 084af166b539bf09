// Formulas are copied as TeX: a browser would write each of their symbols on a line of its own.
addEventListener("copy", (event) => {
  const range = getSelection().rangeCount && getSelection().getRangeAt(0);
  if (!range || !event.target.closest?.("main")) return;
  const copied = document.createElement("div");
  const { commonAncestorContainer: parent } = range;
  const whole = (parent.closest ? parent : parent.parentElement).closest("math");
  copied.append(whole ? whole.cloneNode(true) : range.cloneContents());
  if (!copied.querySelector("math")) return;
  event.clipboardData.setData("text/html", copied.innerHTML);
  for (const formula of copied.querySelectorAll("math")) formula.replaceWith(`$${formula.dataset.tex}$`);
  document.body.append(copied);
  event.clipboardData.setData("text/plain", copied.innerText);
  copied.remove();
  event.preventDefault();
});
