"""The files of the built book, and what the build refuses; no browser needed."""

import filecmp
import re
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from built import PAGES, READ, ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pypdf import PdfReader


class Names(HTMLParser):
    """What a page is called, what is in it, and what it points to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids[attributes["id"]] += 1

    def links(self, *, loaded: bool) -> list[str]:
        """What the page loads by itself, or what it only leads to."""
        return [
            attributes[key]
            for tag, attributes in self.tags
            for key in ("href", "src", "poster", "data")
            if key in attributes and tag != "base"
            if loaded != (tag == "a" or attributes.get("rel") == "canonical")
        ]

    def meta(self, name: str) -> str:
        for tag, attributes in self.tags:
            if tag == "meta" and name in (
                attributes.get("name"),
                attributes.get("property"),
                attributes.get("http-equiv"),
            ):
                return attributes["content"]
        return ""


@pytest.fixture(scope="session")
def names(site):
    return {name: Names((site / name).read_text("utf-8")) for name in PAGES}


def is_outside(link: str) -> bool:
    return bool(urlsplit(link).scheme or urlsplit(link).netloc) and not link.startswith("data:")


@pytest.mark.parametrize("name", PAGES)
def test_links_and_anchors_resolve(name, names, site):
    broken = []
    for link in [*names[name].links(loaded=True), *names[name].links(loaded=False)]:
        if is_outside(link) or link.startswith("data:"):
            continue
        path, anchor = unquote(urlsplit(link).path), unquote(urlsplit(link).fragment)
        anchor = "" if "=" in anchor else anchor  # a view of an instrument, not a place in a page
        target = (site / name).parent.joinpath(path).resolve() if path else site / name
        if not target.is_file() or (
            anchor and not names[target.relative_to(site.resolve()).as_posix()].ids[anchor]
        ):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", PAGES)
def test_page_names_itself_and_loads_nothing_from_elsewhere(name, names):
    page = names[name]
    assert [link for link in page.links(loaded=True) if is_outside(link)] == []
    assert [anchor for anchor, count in page.ids.items() if count > 1] == []
    assert dict(page.tags)["html"]["lang"] == "en"


def test_pages_say_what_they_are(names, site):
    titles = [
        re.search("<title>(.*?)</title>", (site / name).read_text("utf-8"))[1] for name in READ
    ]
    assert len(set(titles)) == len(titles)
    for name in READ:
        assert 50 <= len(names[name].meta("description")) <= 160, name
        assert names[name].meta("og:title")
        assert names[name].meta("og:description") == names[name].meta("description")
    descriptions = [names[name].meta("description") for name in READ]
    assert len(set(descriptions)) == len(descriptions)


@pytest.mark.parametrize("name", READ)
def test_policy_lets_in_nothing_from_elsewhere(name, names, site):
    policy = dict(
        part.split(" ", 1) for part in names[name].meta("Content-Security-Policy").split("; ")
    )
    assert policy["default-src"] == "'self'"
    sources = " ".join(policy.values())
    assert "unsafe-eval" not in sources
    assert "http" not in sources
    assert "unsafe-inline" not in policy["script-src"]
    text = (site / name).read_text("utf-8")
    assert not re.search(r"<[^>]+\son\w+=", text), (
        "a script in an attribute, which the policy forbids"
    )


def test_static_files_are_few_and_used(site):
    files = [path for path in (site / "_static").rglob("*") if path.is_file()]
    kinds = Counter(path.suffix for path in files)
    assert kinds[".css"] == 1
    assert kinds[".js"] <= 7  # for all pages, for search (2), and for each of four instruments
    assert sum(path.suffix == ".woff2" for path in files) <= 3  # for mathematics and for icons
    assert (site / "objects.inv").exists()


@pytest.mark.deep
def test_pdf_holds_the_whole_book(site, names):
    file = site / "activation-functions.pdf"
    if not file.exists():
        pytest.skip("there is no PDF of the book: make pdf")
    assert file.stat().st_size < 10_000_000
    pdf = PdfReader(file)
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]  # for screen readers
    places = pdf.named_destinations
    for name in READ:
        if name.startswith("chapters/"):
            place = places.get(f"/document-{name.removesuffix('.html')}", places["/"])
            first = pdf.get_destination_page_number(place)
            text = " ".join(page.extract_text() for page in pdf.pages[first : first + 2])
            text = " ".join(unicodedata.normalize("NFKC", text).split())
            begins = names[name].meta("description")[:40].replace("’", "'")
            assert begins in text.replace("’", "'"), name


def build(book: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).parent / "jupyter-book"),
        "build",
        ".",
        "-n",
        "-W",
        "--keep-going",
    ]
    return subprocess.run(command, cwd=book, capture_output=True, text=True, check=False)


def copy(folder: Path, chapters: list[str] | None = None, **settings: dict) -> Path:
    """The sources of the book, or of a small one of a few chapters, with other settings."""
    shutil.copytree(
        ROOT / "website", folder / "website", ignore=shutil.ignore_patterns("node_modules")
    )
    (folder / "website/node_modules").symlink_to(ROOT / "website/node_modules")
    shutil.copytree(ROOT / "tools", folder / "tools")
    for name in ("_config.yml", "_toc.yml", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    for section, values in settings.items():
        config[section] |= values
    (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")
    if chapters is None:
        shutil.copytree(ROOT / "chapters", folder / "chapters")
        shutil.copytree(ROOT / "actlib", folder / "actlib")
    else:
        (folder / "chapters").mkdir()
        shutil.copy(ROOT / "chapters/references.bib", folder / "chapters")
        toc = {
            "format": "jb-book",
            "root": chapters[0],
            "chapters": [{"file": c} for c in chapters[1:]],
        }
        (folder / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    return folder


def differing(first: Path, second: Path) -> list[str]:
    names = {
        path.relative_to(folder)
        for folder in (first, second)
        for path in folder.rglob("*")
        if path.is_file()
    }
    names.discard(Path("activation-functions.pdf"))
    _, different, missing = filecmp.cmpfiles(first, second, names, shallow=False)
    return sorted(map(str, [*different, *missing]))


@pytest.mark.deep
def test_two_builds_are_the_same(tmp_path, site, monkeypatch):
    monkeypatch.setenv("BOOK_PDF", "yes" if (site / "activation-functions.pdf").exists() else "")
    command = ["git", "log", "-1", "--format=%ct"]  # the copy has no history
    seconds = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds.strip())
    done = build(copy(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert differing(site, tmp_path / "_build/html") == []


PAGE = """# A page

A paragraph that is long enough to describe the page to those who search for it, and no longer.

{fault}
"""


def small_book(folder: Path, fault: str = "", **settings: dict) -> Path:
    """A page, with a fault perhaps, and a notebook."""
    book = copy(folder, ["chapters/page", "chapters/notebook"], **settings)
    (book / "chapters/page.md").write_text(PAGE.format(fault=fault), "utf-8")
    cells = [new_markdown_cell("# A notebook\n\nWhat it says."), new_code_cell("1 + 1")]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = new_notebook(cells=cells, metadata=metadata)
    nbformat.write(notebook, book / "chapters/notebook.ipynb")
    return book


def test_build_refuses_every_fault(tmp_path):
    faults = {
        r"An equation without an end: $\frac{1}$.": "broken TeX",
        "![](../website/static/favicon.svg)": "without alt text",
        "[Nowhere](nowhere.md)": "nowhere.md",
        "{py:func}`nothing.at.all`": "nothing.at.all",
    }
    done = build(small_book(tmp_path, "\n\n".join(faults)))
    assert done.returncode != 0
    said = (done.stdout + done.stderr).splitlines()
    warnings = "".join(line for line in said if "WARNING" in line or "ERROR" in line)
    assert [fault for fault, complaint in faults.items() if complaint not in warnings] == []


@pytest.mark.deep
def test_second_build_writes_what_has_changed(tmp_path):
    book = small_book(tmp_path / "book")
    assert build(book).returncode == 0
    first = shutil.copytree(book / "_build/html", tmp_path / "first")
    (book / "chapters/page.md").write_text(PAGE.format(fault="A new sentence."), "utf-8")
    done = build(book)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = ["_sources/chapters/page.md", "_static/search-index.js", "chapters/page.html"]
    assert differing(first, book / "_build/html") == changed


REPOSITORY = "https://github.com/someone/somewhere"
BASE = "https://someone.example/somewhere/"


@pytest.mark.deep
def test_without_addresses_nothing_leads_to_them(tmp_path):
    done = build(small_book(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "_build/html"
    page = Names((site / "chapters/notebook.html").read_text("utf-8"))
    assert not [link for link in page.links(loaded=False) if is_outside(link)]
    assert not page.meta("og:url")
    assert not (site / "sitemap.xml").exists()
    assert '<base href="/">' in (site / "404.html").read_text("utf-8")


@pytest.mark.deep
def test_with_addresses_they_are_led_to(tmp_path):
    book = small_book(tmp_path, repository={"url": REPOSITORY}, html={"baseurl": BASE})
    done = build(book)
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "_build/html"
    page = Names((site / "chapters/notebook.html").read_text("utf-8"))
    links = page.links(loaded=False)
    colab = "https://colab.research.google.com/github/someone/somewhere/blob/main/chapters/notebook.ipynb"
    assert colab in links
    assert any(
        link.startswith("https://mybinder.org/v2/gh/someone/somewhere/main") for link in links
    )
    assert f"{REPOSITORY}/edit/main/chapters/notebook.ipynb" in links
    assert any(link.startswith(f"{REPOSITORY}/issues/new") for link in links)
    assert "../_downloads/notebook.ipynb" in links
    first = nbformat.read(site / "_downloads/notebook.ipynb", as_version=4).cells[0]
    assert f'%pip install --quiet "actlib @ git+{REPOSITORY}"' in first.source
    assert f"{BASE}chapters/notebook.html" in links  # the canonical address
    assert page.meta("og:url") == f"{BASE}chapters/notebook.html"
    assert f"<loc>{BASE}chapters/notebook.html</loc>" in (site / "sitemap.xml").read_text("utf-8")
    missing = (site / "404.html").read_text("utf-8")
    assert missing.index('<base href="/somewhere/">') < missing.index(
        "href=", missing.index("<base") + 12
    )
