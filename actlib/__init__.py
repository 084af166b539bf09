"""actlib: activation functions whose every value and gradient is right.

>>> import actlib
>>> actlib.relu.grad([-1.0, 2.0])
array([0., 1.])
>>> sorted(actlib.REGISTRY)[:2]
['leaky_relu', 'log_sigmoid']
"""

from actlib import rectifiers, sigmoids
from actlib._declare import REGISTRY
from actlib.rectifiers import *
from actlib.sigmoids import *

__all__ = ["REGISTRY"]
__all__ += sigmoids.__all__
__all__ += rectifiers.__all__

__version__ = "0.1.0"
