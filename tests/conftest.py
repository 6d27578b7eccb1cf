"""Hypothesis without wall-clock deadlines or complaints of slowness: these machines are shared and noisy.

FOREWORD_EXAMPLES=1000 runs a thousand examples of each property. In CI the examples are the same each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    max_examples=int(os.environ.get("FOREWORD_EXAMPLES", "100")),
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "default")
