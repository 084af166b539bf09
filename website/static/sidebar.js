// The sidebar shows the page that is open, not where it was left on another page.
export function toCurrent(sidebar) {
  const current = [...sidebar.querySelectorAll(".bd-docs-nav .active > a")].at(-1);
  if (current) new IntersectionObserver(([{ isIntersecting, boundingClientRect, rootBounds }], watch) => {
    watch.disconnect();
    if (!isIntersecting) sidebar.scrollTop += boundingClientRect.top - rootBounds.top - rootBounds.height / 3;
  }, { root: sidebar }).observe(current);
}

const sidebar = document.querySelector(".bd-sidebar-primary");
if (sidebar) toCurrent(sidebar);
