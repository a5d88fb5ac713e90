"""Waiting for what comes back by itself: longer each time, told once, and ended by a stop."""

from collections.abc import Callable
from typing import Final

_PAUSE_S_MIN: Final = 0.5
_PAUSE_S_MAX: Final = 30.0
_STEP_S: Final = 0.1


class Patience:
    """For `what`, of which `tell` hears once that it is waited for and once that it answers again.

    `sleep` is called with a step of each pause.
    """

    def __init__(
        self, what: str, sleep: Callable[[float], object], tell: Callable[[str], object]
    ) -> None:
        self._what, self._sleep, self._tell = what, sleep, tell
        self._pause_s = _PAUSE_S_MIN

    def wait(self, why: str, stopping: Callable[[], bool]) -> None:
        """One pause, in steps: who is to stop waits for none of it."""
        if self._pause_s == _PAUSE_S_MIN:
            self._tell(f"waiting for {self._what}: {why}")
        for _ in range(round(self._pause_s / _STEP_S)):
            if stopping():
                return
            self._sleep(_STEP_S)
        self._pause_s = min(2 * self._pause_s, _PAUSE_S_MAX)

    def over(self) -> None:
        """It answered."""
        if self._pause_s != _PAUSE_S_MIN:
            self._tell(f"{self._what} answers again")
            self._pause_s = _PAUSE_S_MIN
