"""HiGHS, silent."""

from __future__ import annotations

from typing import Any


def silent(**options: Any) -> Any:
    """A solver of one thread that says nothing, with these options. HiGHS is loaded only when it is wanted: it costs
    memory in every process that never meets such an order."""
    import highspy

    class Silent(highspy.Highs):
        """HiGHS greets when its first solver takes callbacks, before an option can be set from outside."""

        def enableCallbacks(self) -> None:
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()

    solver = Silent()
    for name, value in {"output_flag": False, "threads": 1, **options}.items():
        solver.setOptionValue(name, value)
    return solver
