"""What a page says of itself, whom it lets load what, and the theme's faults in it, mended."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from website.maths import FONT

_log = logging.getLogger(__name__)

# Before the page is drawn, so that it does not flash in the other theme, and formulas do not move
# when their font comes. Storage may be forbidden.
_HEAD_SCRIPT = """\
const root = document.documentElement.dataset;
try { root.mode = localStorage.mode || "auto"; } catch { root.mode = "auto"; }
root.theme = root.mode !== "auto" ? root.mode
  : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
const font = document.querySelector("meta[name=formulas]");
if (font && location.protocol !== "file:") { // where browsers refuse it
  document.head.append(Object.assign(document.createElement("link"), {
    rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href: font.content,
  }));
}
"""


_REMEDIES = {
    r' id="(exercise|solution)-content"': "",  # the same in every exercise
    r'<summary aria-label="[^"]*">': "<summary>",  # which has a text of its own
    r' role="doc-biblioentry"': ' role="listitem"',
    r"<th( class=\"[^\"]*\")?></th>": r"<td\1></td>",  # heads nothing
    r'<span class="(?:n|nn|p|w)">([^<]*)</span>': r"\1",  # code in the colour of the text around it
    # What may scroll can be reached by keyboard; see boxes.js.
    r'<(pre|div(?= class="(?:cell_output|output|pst-scrollable))|math(?=[^>]* display="block"))': (
        r'<\1 tabindex="0"'
    ),
}


def _policy() -> str:
    """Nothing from elsewhere, and of scripts only the files of the site and the one above.

    Styles may stand in the page, since Temml sets them where it aligns columns.
    """
    digest = base64.b64encode(hashlib.sha256(_HEAD_SCRIPT.encode()).digest()).decode()
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'sha256-{digest}'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        ]
    )


def _needs_address(app: Sphinx, config: Config) -> None:
    """Show buttons that lead to the repository once it has an address."""
    options = config.html_theme_options
    known = bool(options.get("repository_url"))
    for button in ("repository", "issues", "edit_page"):
        options[f"use_{button}_button"] = known
    if not known:
        options["launch_buttons"] = {}


def _one_page_like_many(app: Sphinx) -> None:
    """Write every kind of node in the one-page book as on the site.

    Once an extension has a visitor for that builder alone, Sphinx forgets those of the others.
    """
    visitors = app.registry.translation_handlers
    visitors["singlehtml"] = {**visitors["html"], **visitors["singlehtml"]}


def _check_alt(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for image in doctree.findall(nodes.image):
        if image.get("alt", image["uri"]) in ("", image["uri"]):
            _log.warning("image without alt text: %s", image["uri"], location=image, type="alt")


def _add_context(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    context["security_policy"] = _policy()
    context["head_script"] = _HEAD_SCRIPT
    context["site_path"] = urlsplit(app.config.html_baseurl).path or "/"
    context["metatags"] = context.get("metatags", "") + _metatags(app, context, doctree)
    context["body"] = _mended(context.get("body") or "")
    if "<math" in context["body"]:
        context["formulas"] = f"_static/fonts/{FONT.name}"
    _name_toggles(context)
    if app.builder.name == "singlehtml":  # it takes the first page to lie where the pictures do
        context["body"] = context["body"].replace('src="_images', 'src="../_images')
    for group in context.get("header_buttons", []):
        if "buttons" in group:  # nothing that needs a script inside the page
            group["buttons"] = [b for b in group["buttons"] if b["type"] != "javascript"]


def _name_toggles(context: Any) -> None:
    """Say what the buttons do that open a part of the table of contents."""
    written = context["generate_toctree_html"]
    name = '<summary aria-label="Show or hide the pages of this part">'
    context["generate_toctree_html"] = lambda *args, **options: str(
        written(*args, **options)
    ).replace("<summary>", name)


_GENERATED = {
    "404": ("Page not found", "There is no page at this address; from here the book can be found."),
    "genindex": ("Index", "The functions, classes and terms of the book from A to Z."),
    "search": ("Search", "Find words, functions and terms, English or Chinese, in the book."),
}


def _metatags(app: Sphinx, context: Any, doctree: nodes.document | None) -> str:
    if doctree is None:
        title, description = _GENERATED[context["pagename"]]
    else:
        title, description = re.sub("<.*?>", "", context["title"]), _description(doctree)
    tags = {"og:title": title, "og:description": description, "og:type": "article"}
    tags["og:site_name"] = app.config.html_title
    if context.get("pageurl"):
        tags["og:url"] = context["pageurl"]
    named = "".join(f'<meta property="{k}" content="{escape(v)}">\n' for k, v in tags.items())
    return named + f'<meta name="description" content="{escape(description)}">'


def _description(doctree: nodes.document) -> str:
    """How the page begins, to the end of a sentence or at least of a word."""
    paragraphs = [paragraph.astext() for paragraph in doctree.findall(nodes.paragraph)]
    text = " ".join(" ".join(paragraphs[:3]).split())[:160]
    sentences, _, rest = text.rpartition(". ")
    if len(sentences) >= 80 or not rest:
        return sentences + "."
    return text if len(text) < 160 else text[:159].rpartition(" ")[0] + "…"


def _mended(body: str) -> str:
    """The HTML of Sphinx and its extensions without what is wrong in it or says nothing."""
    for fault, remedy in _REMEDIES.items():
        body = re.sub(fault, remedy, body)
    return body


def _list_pages(app: Sphinx, error: Exception | None) -> None:
    """List all pages for crawlers."""
    base = app.config.html_baseurl
    if error is not None or app.builder.name != "html" or not base:
        return
    addresses = [
        base.rstrip("/") + "/" + app.builder.get_target_uri(page)
        for page in sorted(app.env.found_docs)
    ]
    urls = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    Path(app.outdir, "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
        "utf-8",
    )


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _needs_address, priority=400)
    app.connect("builder-inited", _one_page_like_many)
    app.connect("doctree-resolved", _check_alt)
    app.connect("html-page-context", _add_context, priority=900)
    app.connect("build-finished", _list_pages, priority=900)
