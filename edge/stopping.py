"""Asking a service to stop, by SIGTERM or SIGINT: what it is doing is finished first."""

import signal
from types import FrameType, TracebackType
from typing import Never, Self


class _Stopped(BaseException):
    """Patience is over: what was begun is broken off where it stands."""


class Stopping:
    """Listens within a `with` block. What is not finished `patience_s` after the asking, and may
    be broken off at any moment, is: then the block ends. Without patience it is waited for.
    """

    def __init__(self, patience_s: float = 0.0) -> None:
        self._asked = False
        self._patience_s = patience_s

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGALRM, self._break_off)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return isinstance(error, _Stopped)

    def _ask(self, _: int, __: FrameType | None) -> None:
        if not self._asked:
            signal.setitimer(signal.ITIMER_REAL, self._patience_s)  # 0 is never
        self._asked = True

    @staticmethod
    def _break_off(_: int, __: FrameType | None) -> Never:
        raise _Stopped
