"""Is my network dying? What the units of a Keras model do with a whole data set.

`inspect` reports dead, saturated and lost units of a model; `UnitMonitor` does so during training.
Needs the extra ``diagnose``: Keras on TensorFlow.
"""

from actlib._core.extras import extra

with extra("diagnose"):
    from actlib.diagnose.finding import Finding
    from actlib.diagnose.inspection import inspect
    from actlib.diagnose.monitor import UnitMonitor
    from actlib.diagnose.normalisation import Stale
    from actlib.diagnose.report import Diagnosis

__all__ = ["Diagnosis", "Finding", "Stale", "UnitMonitor", "inspect"]
