"""Every source that the bibliography lists is cited, and can be found."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pybtex.database import Entry, parse_file, parse_string

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
    "cody1980software",
    "dugas2001incorporating",
    "glorot2010understanding",
    "glorot2011deep",
    "goodfellow2016deep",
    "holm1979simple",
    "krizhevsky2010convolutional",
    "krizhevsky2012imagenet",
    "lin2003study",
    "maas2013rectifier",
    "maechler2012accurately",
    "nair2010rectified",
    "prince2023understanding",
    "srivastava2014dropout",
    "verhulst1845recherches",
}
each_entry = pytest.mark.parametrize(("key", "entry"), BIBLIOGRAPHY.items(), ids=BIBLIOGRAPHY)


DOI = re.compile(r"10\.\d{4,9}/[^\s{}<>\"]*[^\s{}<>\".,;]")
ARXIV = re.compile(r"(\d\d)(0[1-9]|1[0-2])\.\d{4,5}")  # year, month, number
NEEDED = {  # what tells a reader where to look, by the kind of the entry
    "article": {"journal", "volume"},
    "book": {"publisher"},
    "incollection": {"booktitle", "publisher", "pages"},
    "inproceedings": {"booktitle"},
    "techreport": {"institution"},
}


def has_identifier(entry: Entry) -> bool:
    return bool({"doi", "eprint"} & set(entry.fields))


def letters(name: str) -> str:
    """A name as a key has it: in small letters, without accents."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain.lower())


def faults(key: str, entry: Entry) -> Iterator[str]:
    """What is wrong with an entry, as far as it can be seen without its source."""
    fields, year = entry.fields, int(entry.fields["year"])
    if "doi" in fields and not DOI.fullmatch(fields["doi"]):
        yield "the DOI does not look like one"
    if "eprint" in fields:
        if (arxiv := ARXIV.fullmatch(fields["eprint"])) is None:
            yield "the arXiv id does not look like one"
        else:
            posted, number = 2000 + int(arxiv[1]), fields["eprint"].partition(".")[2]
            if len(number) != (4 if posted < 2015 else 5):
                yield "arXiv ids have four digits behind the point up to 2014, five since"
            if entry.type == "misc" and year != posted:
                yield f"a preprint of {year}, but the id is one of {posted}"
            if posted > year + 1:  # scikit-learn was put there a month after the turn of the year
                yield f"printed in {year}, but on arXiv only since {posted}"
        if fields.get("archivePrefix") != "arXiv":
            yield "an eprint that is not said to be on arXiv"
    if "url" in fields and not fields["url"].startswith("https://"):
        yield "the address is not one of https"
    if missing := NEEDED.get(entry.type, set()) - set(fields):
        yield f"{entry.type} without {sorted(missing)}"
    if "pages" in fields:
        pages = re.fullmatch(r"(\d+)--(\d+)", fields["pages"])
        if pages is None or int(pages[1]) > int(pages[2]):
            yield "the pages are not two numbers, in order, with two hyphens between"
    first = entry.persons["author"][0]
    family = "".join(first.prelast_names + first.last_names)
    if not key.startswith((letters(family), letters(family.replace("ä", "ae")))):
        yield f"the key does not begin with {family}"
    if len(entry.persons["author"]) != len(set(map(str, entry.persons["author"]))):
        yield "an author twice"


@each_entry
def test_it_is_cited(key: str, entry: Entry) -> None:
    assert any(key in keys.split(",") for keys in CITED)


@each_entry
def test_it_can_be_found(key: str, entry: Entry) -> None:
    if key in ADDRESS_ONLY:
        assert not has_identifier(entry)
        assert "url" in entry.fields
    else:
        assert has_identifier(entry)


@each_entry
def test_it_has_no_fault(key: str, entry: Entry) -> None:
    assert list(faults(key, entry)) == []


@pytest.mark.parametrize("field", ["doi", "eprint", "title", "url"])
def test_no_work_is_listed_twice(field: str) -> None:
    values = [entry.fields.get(field, "").strip("{}").lower() for entry in BIBLIOGRAPHY.values()]
    assert [value for value, n in Counter(filter(None, values)).items() if n > 1] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("10.1000/right", "https://doi.org/10.1000/right", "the DOI"),
        ("10.1000/right", "10.1000/right.", "the DOI"),
        ("10.1000/right", "10.1000", "the DOI"),
        ("1904.01234", "1913.01234", "the arXiv id"),
        ("1904.01234", "1904.1234", "four digits"),
        ("1904.01234", "2204.01234", "on arXiv only since 2022"),
        ("@article", "@misc", "a preprint of 2020"),
        ("archivePrefix", "archive", "not said to be on arXiv"),
        ("https://example.org", "http://example.org", "https"),
        ("journal", "booktitle", "article without ['journal']"),
        ("10--12", "10-12", "pages"),
        ("10--12", "12--10", "pages"),
        ("author = {Sm", "author = {Zm", "begin with Zmith"),
        ("Jones, Bo", "Smith, Al", "an author twice"),
    ],
)
def test_a_fault_is_found(old: str, new: str, message: str) -> None:
    right = """@article{smith2020right, author = {Smith, Al and Jones, Bo}, title = {Right},
        journal = {J}, volume = {1}, pages = {10--12}, year = {2020}, doi = {10.1000/right},
        eprint = {1904.01234}, archivePrefix = {arXiv}, url = {https://example.org}}"""
    assert right.count(old) == 1
    (found,) = (list(faults(*item)) for item in parse_string(right, "bibtex").entries.items())
    assert found == []
    (found,) = (
        list(faults(*item))
        for item in parse_string(right.replace(old, new), "bibtex").entries.items()
    )
    assert any(message in fault for fault in found), found


@pytest.mark.parametrize("name", actlib.REGISTRY)
def test_the_year_of_an_activation_is_that_of_its_source(name: str) -> None:
    spec = actlib.REGISTRY[name].spec
    assert str(spec.year) == BIBLIOGRAPHY[spec.cite].fields["year"]


def test_what_is_cited_is_listed() -> None:
    assert {key for keys in CITED for key in keys.split(",")} <= set(BIBLIOGRAPHY)
