"""What the examinations of all functions have in common: how their findings are put."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from actlib.check.again import HELD, Again
from actlib.check.one_call import Unusable
from actlib.check.report import Finding


class Examination:
    """Of a value, or of a gradient or product, in one dtype."""

    of: str
    dtype: np.dtype

    def finding(self, aspect: str, ok: Any, good: str, bad: str | None = None) -> Finding:
        """One property: in words what holds, or what is wrong."""
        detail = good if ok or bad is None else bad
        return Finding(self.dtype.name, self.of, aspect, bool(ok), detail)

    def guarded(self, aspect: str, examine: Callable[[], Iterable[Finding]]) -> list[Finding]:
        """What was found; a function that raises only here has failed in this aspect."""
        try:
            return list(examine())
        except Unusable as error:
            return [self.finding(aspect, False, str(error))]

    def told(self, found: Again) -> Iterator[Finding]:
        """What went wrong in other arrays, and in other calls."""
        for aspect, problems in found.problems.items():
            words = "; ".join(dict.fromkeys(problems))
            yield self.finding(aspect, not problems, HELD.get(aspect, ""), words)
