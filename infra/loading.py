"""Loading an application in a process that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import inside it. What modules make stays for good: the garbage collector neither counts it again and again
    meanwhile, a tenth of the start, nor ever looks at it later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
