// Finds parts of the book. Words are found where they begin, in any order; what looks like a formula is
// found as it stands, however it is spaced. BOOK is what search.py has written.
const MOST = 40;
const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";

const fold = (text) => text.toLowerCase().replaceAll("−", "-");
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const count = (text, pattern) => text.match(pattern)?.length ?? 0;

// English words begin after what is no letter, and are found in the plural, too; Chinese has no spaces.
const words = fold(query).match(/[\p{L}\p{N}_.]+/gu) ?? [];
const word = (text) => /^\p{Script=Han}/u.test(text) ? text
  : `(?<![\\p{L}\\p{N}])${escaped(text.replace(/(?<=\w{3})s$/, ""))}`;
const formula = (text) => [...text.replace(/[\s*·⋅]+/g, "")].map(escaped).join("[\\s*·⋅]*");
const sources = /[*+/^=()<>]/.test(query) ? [formula(fold(query))] : words.map(word);
const patterns = sources.map((source) => new RegExp(source, "gu"));

// How well a part answers: by its title, then by how early and how often its prose says so.
function score({ page, title, prose, other }) {
  const [name, text] = [fold(title), fold(prose)];
  const has = (said) => patterns.every((pattern) => count(said, pattern));
  if (!has(`${name} ${text} ${fold(other)}`)) return 0;
  const phrase = words.join(" ");
  const exact = name === phrase || name.split(/[.,:]\s*/).includes(phrase);
  const often = patterns.reduce((sum, pattern) => sum + count(text, pattern), 0);
  const place = text.indexOf(phrase);
  const early = place < 0 ? 0 : 20 + 10 / (place + 1);
  return 200 * exact + 100 * has(name) + 50 * (has(name) && page) + early + Math.min(often, 19) + 1;
}

// What stands around the first of the words, from prose alone.
function excerpt(prose) {
  const places = patterns.map((pattern) => fold(prose).search(pattern)).filter((place) => place >= 0);
  const first = Math.min(...places);
  const begin = places.length && first > 100 ? prose.lastIndexOf(" ", first - 80) + 1 : 0;
  const end = begin + 240 < prose.length ? prose.lastIndexOf(" ", begin + 240) : prose.length;
  return (begin ? "… " : "") + prose.slice(begin, end) + (end < prose.length ? " …" : "");
}

function marked(text) {
  const shown = document.createElement("p");
  let end = 0;
  for (const { 0: { length }, index } of fold(text).matchAll(new RegExp(sources.join("|"), "gu"))) {
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
  const best = results.length > MOST ? `, of which these ${MOST} are the best` : "";
  said.textContent = results.length ? `Results for “${query}”: ${results.length}${best}.`
    : `Nothing in the book matches “${query}”. Try fewer words, or other ones.`;
  const list = document.createElement("ol");
  list.append(...results.slice(0, MOST).map(shown));
  document.getElementById("search-results").append(said, list);
}

function search() {
  const parts = Object.entries(BOOK).flatMap(([address, found]) => found.map(([anchor, title, prose, other]) => (
    { address, anchor, title, prose, other, page: !anchor, book: found[0][1] })));
  const scored = parts.map((part) => ({ ...part, score: score(part) })).filter((part) => part.score);
  show(scored.sort((a, b) => b.score - a.score));
}

if (sources.length) {
  document.querySelector(".bd-search-container input").value = query;
  const index = document.createElement("script");
  index.src = "_static/search-index.js";
  index.onload = search;
  document.head.append(index);
}
