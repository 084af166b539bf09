// A link to a term or a source shows what stands there: under the mouse, by the keyboard, and at the
// first tap; the second follows it. The texts are in the page, see hover.py.
addEventListener("DOMContentLoaded", () => {
  const card = document.createElement("div");
  card.id = "hover-card";
  card.role = "tooltip";
  card.popover = "manual";
  document.body.append(card);
  let shown, waiting;

  const hide = () => {
    clearTimeout(waiting);
    shown?.removeAttribute("aria-describedby");
    shown = undefined;
    card.hidePopover();
  };
  const show = (link, text) => {
    hide();
    shown = link;
    link.setAttribute("aria-describedby", card.id);
    card.replaceChildren(text.content.cloneNode(true));
    card.showPopover();
    place();
  };
  const place = () => {
    const { left, top, bottom } = shown.getClientRects()[0];
    if (bottom < 0 || top > innerHeight) return hide();
    const below = bottom + card.offsetHeight < innerHeight;
    card.style.left = `${Math.max(8, Math.min(left, innerWidth - card.offsetWidth - 8))}px`;
    card.style.top = `${below ? bottom : Math.max(8, top - card.offsetHeight)}px`;
  };
  const later = (task) => {
    clearTimeout(waiting);
    waiting = setTimeout(task, 250);
  };

  for (const text of document.querySelectorAll("template[data-card]"))
    for (const link of document.querySelectorAll(`article a[href="${CSS.escape(text.dataset.card)}"]`)) {
      let tapped = false;
      link.removeAttribute("title"); // the card says it
      link.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && later(() => show(link, text)));
      link.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && later(hide));
      link.addEventListener("focus", () => link.matches(":focus-visible") && show(link, text));
      link.addEventListener("blur", hide);
      link.addEventListener("pointerdown", ({ pointerType }) => { tapped = pointerType !== "mouse" && shown !== link; });
      link.addEventListener("click", (event) => {
        if (!tapped) return;
        event.preventDefault();
        tapped = false;
        show(link, text);
      });
    }
  card.addEventListener("pointerenter", () => clearTimeout(waiting));
  card.addEventListener("pointerleave", () => later(hide));
  addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  addEventListener("scroll", () => shown && place(), { passive: true });
  addEventListener("pointerdown", ({ target }) => target !== shown && !shown?.contains(target) && !card.contains(target) && hide());
});
