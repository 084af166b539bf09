"""actlib: activation functions whose every value and gradient is right.

>>> import actlib
>>> actlib.relu.grad([-1.0, 2.0])
array([0., 1.])
>>> sorted(actlib.REGISTRY)[:2]
['arctan', 'celu']
"""

from typing import TYPE_CHECKING

from actlib import gated, gated_units, rectifiers, sigmoids, smooth, vector
from actlib._declare import REGISTRY
from actlib._vectors import VECTORS
from actlib.gated import *
from actlib.gated_units import *
from actlib.rectifiers import *
from actlib.sigmoids import *
from actlib.smooth import *
from actlib.vector import *

__all__ = ["REGISTRY", "VECTORS"]
__all__ += sigmoids.__all__
__all__ += rectifiers.__all__
__all__ += smooth.__all__
__all__ += gated.__all__
__all__ += gated_units.__all__
__all__ += vector.__all__

__version__ = "0.1.0"

if TYPE_CHECKING:
    from actlib.explorer import explore as explore
else:

    def __getattr__(name):
        """Import the explorer when it is asked for."""
        if name == "explore":
            from actlib.explorer import explore

            return explore
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return [*globals(), "explore"]
