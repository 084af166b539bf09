"""What scripts move in pages: a module for each, with its markup, script and style beside it."""

from __future__ import annotations

from sphinx.application import Sphinx

from website.instruments import bits, depths, explorer, instrument, joints, train, units

KINDS = (bits, depths, explorer, joints, train, units)


def setup(app: Sphinx) -> None:
    instrument.setup(app)
    for kind in KINDS:
        kind.INSTRUMENT.add(app)
