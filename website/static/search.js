// Finds parts of the book. Words are found where they begin, in any order; what looks like a formula is
// found as it stands, however it is spaced. BOOK is what search.py has written.
const MOST = 40;
const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";

const fold = (text) => text.toLowerCase().replaceAll("−", "-");
const squeeze = (text) => fold(text).replace(/[\s*·⋅]+/g, "");
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

// English words begin after what is no letter, and are found in the plural, too; Chinese has no spaces.
const words = fold(query).match(/[\p{L}\p{N}_.]+/gu) ?? [];
const patterns = words.map((word) => new RegExp(
  /^\p{Script=Han}/u.test(word) ? word : `(?<![\\p{L}\\p{N}])${escaped(word.replace(/(?<=\w{3})s$/, ""))}`, "gu"));
const formula = /[*+/^=()<>]/.test(query) ? squeeze(query) : "";

const count = (text, pattern) => text.match(pattern)?.length ?? 0;
const all = (text) => patterns.every((pattern) => count(text, pattern));

// How well a part answers: its title, the words one after the other, then how often there is one.
function score({ page, title, prose, code }) {
  const text = fold(`${title}\n${prose}\n${code}`);
  if (formula) return squeeze(text).includes(formula) ? 1 + squeeze(fold(prose)).includes(formula) : 0;
  if (!all(text)) return 0;
  const name = fold(title);
  const whole = name.split(/[.\s]+/).includes(words.join(" ")) || name === words.join(" ");
  const often = patterns.reduce((sum, pattern) => sum + count(fold(prose), pattern), 0);
  return 200 * whole + 100 * all(name) + 50 * (all(name) && page) + 20 * fold(prose).includes(words.join(" ")) + Math.min(often, 19) + 1;
}

// What stands around the first word, from prose alone.
function excerpt(prose) {
  const places = patterns.map((pattern) => fold(prose).search(pattern)).filter((place) => place >= 0);
  const middle = formula ? fold(prose).indexOf(fold(query)) : Math.min(...places);
  const begin = middle > 100 && middle < Infinity ? prose.lastIndexOf(" ", middle - 80) + 1 : 0;
  const end = begin + 240 < prose.length ? prose.lastIndexOf(" ", begin + 240) : prose.length;
  return (begin ? "… " : "") + prose.slice(begin, end) + (end < prose.length ? " …" : "");
}

function marked(text) {
  const shown = document.createElement("p");
  const sources = patterns.map(({ source }) => source);
  const found = formula || !sources.length ? [] : [...fold(text).matchAll(new RegExp(sources.join("|"), "gu"))];
  let end = 0;
  for (const { 0: { length }, index } of found) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(index, index + length);
    shown.append(text.slice(end, index), mark);
    end = index + length;
  }
  shown.append(text.slice(end));
  return shown;
}

function shown({ address, anchor, title, page, book, prose }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = anchor ? `${address}#${anchor}` : address;
  link.textContent = page ? title : `${book} › ${title}`;
  item.append(link, marked(excerpt(prose)));
  return item;
}

function show(results) {
  const said = document.createElement("p");
  said.role = "status";
  said.textContent = results.length ? `${results.length} results for “${query}”` : `Nothing in the book matches “${query}”. Try fewer or other words.`;
  const list = document.createElement("ol");
  list.append(...results.slice(0, MOST).map(shown));
  document.getElementById("search-results").append(said, list);
}

function search() {
  const parts = Object.entries(BOOK).flatMap(([address, found]) => found.map(([anchor, title, prose, code]) => (
    { address, anchor, title, prose, code, page: !anchor, book: found[0][1] })));
  const scored = parts.map((part) => ({ ...part, score: score(part) })).filter((part) => part.score);
  show(scored.sort((a, b) => b.score - a.score));
}

if (query) {
  document.querySelector(".bd-search-container input").value = query;
  const index = document.createElement("script");
  index.src = "_static/search-index.js";
  index.onload = search;
  document.head.append(index);
}
