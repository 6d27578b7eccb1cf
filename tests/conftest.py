"""Hypothesis without wall-clock deadlines: these machines are shared and noisy.

HYPOTHESIS_PROFILE=thorough runs a thousand examples of each property. In CI the examples are the same each time.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "default"))
