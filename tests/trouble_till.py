"""A clerk whose usage comes through the line: what is known of it is a recount of the log's bytes.

Months are closed with a reason, whatever is missing: that they are not without one is looked at
first.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

from tests.command_line import shown_here
from tests.ledger_checks import check_sum
from tests.ledger_clerk import Clerk, open_accounts
from tests.ledger_world import Event
from tests.oracle_calendar import EPOCH
from tests.test_ledger_drawn import ACTS
from tests.trouble_line import Line
from tests.trouble_store import Death

_MAKING: Final = ("invoice", "credit-note", "void")
_ACTS: Final[dict[str, Callable[[Clerk], None]]] = {act.__name__: act for _, act in ACTS}


class Till(Clerk):
    """Of a line, by whose clock it works."""

    closing = ("--accept-incomplete", "trouble")

    def __init__(self, line: Line, rng: random.Random) -> None:
        super().__init__(line.home, rng, rng.choice(["EUR", "JPY", "KWD"]))
        self._line = line
        self._death: Death | None = None

    def act(self, name: str, seed: int, death: list[Any] | None = None) -> None:
        """One of the clerk's acts, with a chance of its own; then all sums are right of whoever was
        billed by it. Its first command that makes documents may die: at a statement, and how.
        """
        self.rng = random.Random(seed)
        self._death = Death(self.home, *death) if death else None
        self._come()
        before = set(self.documents)
        _ACTS[name](self)
        fresh = [one for id, one in self.documents.items() if id not in before]
        for account in {one["account_id"] for one in fresh if one["credit"] is None}:
            check_sum(self, account)
        self._go()
        self._line.tally["bill"] += 1

    def type(self, *arguments: str, failing: bool = False) -> str:
        """As the clerk does. What died is typed again, unless its documents are there."""
        if self._death is None or arguments[0] not in _MAKING or "item" in arguments:
            return super().type(*arguments, failing=failing)
        death, self._death = self._death, None
        stood, stderr = self._list(), ""
        with death.awaited():
            stderr = super().type(*arguments, failing=failing)
        self._line.tally["kill_billing"] += death.has_come
        if death.has_come and (arguments[0] == "invoice" or self._list() == stood):
            stderr = super().type(*arguments, failing=failing)
        return stderr

    def _list(self) -> Any:
        return shown_here(self.home, "invoice", "list")

    def settle_all(self) -> None:
        """Everything that can be closed is; then every document is derived again."""
        self._come()
        self.settle()
        log = ["--from-log"] if self._line.has_whole_log() else []
        if self.documents:
            self.type("invoice", "verify", "--all", "--no-documents", *log)

    def use(self, events: list[Event]) -> None:
        """By way of a server, the wire and the projector."""
        self._go()
        self._line.pass_in("fra-1", events)
        self._line.rest()
        self._come()

    def _come(self) -> None:
        """All that is in the log is projected and known, and nobody holds the store."""
        self._line.check()
        self._line.close_store()
        self.events = self._line.accepted()
        today = (EPOCH + timedelta(microseconds=self._line.now_us)).date()
        self._day = max(self._day, today)

    def _go(self) -> None:
        """The line's clock has moved on meanwhile."""
        noon_us = (self._day - date(1970, 1, 1)).days * 86_400_000_000 + 43_200_000_000
        self._line.now_us = max(self._line.now_us, noon_us)


def open_till(line: Line, seed: int) -> Till:
    """What was measured is told by then, and is right. Accounts, plans and prices are drawn."""
    line.rest()
    line.check_servers()
    till = Till(line, random.Random(seed))
    till._come()
    open_accounts(till)
    till._come()
    return till
