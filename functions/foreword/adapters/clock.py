"""The wall clock."""

from __future__ import annotations

import time

from foreword.domain.instants import Instant


class SystemClock:
    def now(self) -> Instant:
        return time.time_ns() // 1000
