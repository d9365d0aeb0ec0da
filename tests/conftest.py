"""What holds for all tests: several processes may run them side by side, on a machine that does other work."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import settings

# Two threads of BLAS wait for one another a hundred times as long as a small matrix takes, where others work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
WORKER = os.environ.get("PYTEST_XDIST_WORKER")

# A busy machine is no fault of the code: waits have deadlines of their own, and each test one of five minutes.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

# Numba's index of compiled loops has no lock: two processes that add to it at the same time may mix them up. So
# each has a cache of its own, which the nodes that its tests start share, and the next run finds again.
if WORKER and "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[1] / ".pytest_cache" / "numba" / WORKER)
