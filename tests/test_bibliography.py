"""Every source that the bibliography lists is cited, and can be found."""

import re
from pathlib import Path

import pytest
from pybtex.database import Entry, parse_file

import actlib

CHAPTERS = Path(__file__).parent.parent / "chapters"
BIBLIOGRAPHY = parse_file(CHAPTERS / "references.bib").entries
PAGES = "\n".join(
    path.read_text() for path in CHAPTERS.iterdir() if path.suffix in {".md", ".ipynb"}
)
CITED = set(re.findall(r"\{cite:\w+\}`([^`]+)`", PAGES))
if (CHAPTERS / "catalogue.ipynb").exists():  # it is written from the registry
    CITED |= {activation.spec.cite for activation in actlib.REGISTRY.values()}

# Neither a DOI nor an arXiv id exists for these: an official address is the best there is.
ADDRESS_ONLY = {
    "dugas2001incorporating",
    "glorot2010understanding",
    "glorot2011deep",
    "goodfellow2016deep",
    "krizhevsky2010convolutional",
    "krizhevsky2012imagenet",
    "lin2003study",
    "maas2013rectifier",
    "maechler2012accurately",
    "nair2010rectified",
    "srivastava2014dropout",
    "verhulst1845recherches",
}
each_entry = pytest.mark.parametrize(("key", "entry"), BIBLIOGRAPHY.items(), ids=BIBLIOGRAPHY)


def identifier(entry: Entry) -> str | None:
    """The DOI or arXiv id, if it looks like one."""
    doi, eprint = entry.fields.get("doi", ""), entry.fields.get("eprint", "")
    if re.fullmatch(r"10\.\d{4,9}/\S+", doi):
        return doi
    if entry.fields.get("archivePrefix") == "arXiv" and re.fullmatch(r"\d{4}\.\d{4,5}", eprint):
        return eprint
    return None


@each_entry
def test_it_is_cited(key: str, entry: Entry) -> None:
    assert any(key in keys.split(",") for keys in CITED)


@each_entry
def test_it_can_be_found(key: str, entry: Entry) -> None:
    if key in ADDRESS_ONLY:
        assert identifier(entry) is None
        assert entry.fields["url"].startswith("https://")
    else:
        assert identifier(entry)


@pytest.mark.parametrize("name", actlib.REGISTRY)
def test_the_year_of_an_activation_is_that_of_its_source(name: str) -> None:
    spec = actlib.REGISTRY[name].spec
    assert str(spec.year) == BIBLIOGRAPHY[spec.cite].fields["year"]


def test_what_is_cited_is_listed() -> None:
    assert {key for keys in CITED for key in keys.split(",")} <= set(BIBLIOGRAPHY)
