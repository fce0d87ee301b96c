"""Time without the garbage collector. A season makes a million objects that live to its end. The collector visited
them again and again, which took a sixth of the time, and found about 50 for each mentorship.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let garbage in cycles lie until the block ends; all other garbage goes at once, as always.

    This holds for the whole process. Of several blocks in threads, the one that began first ends it for all.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
