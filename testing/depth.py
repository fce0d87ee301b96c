"""How many examples the tests try: HYPOTHESIS_PROFILE=deep tries many times as many, for a night or after changes."""

from __future__ import annotations

import os

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
