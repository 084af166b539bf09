"""What scripts move in pages: a module for each, with its markup, script and style beside it."""

from __future__ import annotations

from sphinx.application import Sphinx

from website.instruments import bits, depths, explorer, instrument, joints

KINDS = (bits, depths, explorer, joints)


def setup(app: Sphinx) -> None:
    instrument.setup(app)
    for kind in KINDS:
        kind.INSTRUMENT.add(app)
