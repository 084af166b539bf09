"""actlib: activation functions whose every value and gradient is right.

>>> import actlib
>>> actlib.relu.grad([-1.0, 2.0])
array([0., 1.])
>>> sorted(actlib.REGISTRY)[:2]
['arctan', 'bilinear']
"""

from typing import TYPE_CHECKING

from actlib._core.registry import REGISTRY, Activation, AxisFunction, GatedUnit
from actlib._core.spec import Param, Peer, Spec
from actlib.functions import gated, gated_units, rectifiers, sigmoids, smooth
from actlib.functions import softmax as _softmax
from actlib.functions.gated import *
from actlib.functions.gated_units import *
from actlib.functions.rectifiers import *
from actlib.functions.sigmoids import *
from actlib.functions.smooth import *
from actlib.functions.softmax import *

__all__ = ["REGISTRY", "Activation", "AxisFunction", "GatedUnit", "Param", "Peer", "Spec"]
__all__ += sigmoids.__all__
__all__ += rectifiers.__all__
__all__ += smooth.__all__
__all__ += gated.__all__
__all__ += gated_units.__all__
__all__ += _softmax.__all__

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
