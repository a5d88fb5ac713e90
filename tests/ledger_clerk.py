"""A clerk of two to four accounts: closes months, corrects documents, voids them and runs them
again, while usage and changes of plans come late.

All goes through the command line, and the projector, in this process; the documents are read as
the program prints them, and held to the oracle whenever they are.
"""

import random
import shutil
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from tests.command_line import run_here, shown_here
from tests.homes import project
from tests.ledger_checks import (
    check_documents,
    check_kept,
    check_left,
    check_numbers,
    check_sum,
)
from tests.ledger_known import OCTOBER, Known
from tests.ledger_taxes import SELLER, check_all_taxes, check_document_taxes
from tests.ledger_world import (
    BOOKS,
    HEADER,
    ZONES,
    Event,
    draw_prices,
    draw_records,
    draw_row,
    told,
)
from tests.oracle_ledger import Document
from tests.oracle_text import money, text

BEGUN: Final = date(2027, 6, 1)  # all months are over


class Clerk(Known):
    """Works in `home`, a day for each command. `said` is all that was done, by copies too;
    `closing` are options of whatever closes a month.
    """

    closing: tuple[str, ...] = ()

    def __init__(self, home: Path, rng: random.Random, currency: str) -> None:
        super().__init__()
        self.home, self.rng, self.currency = home, rng, currency
        self.said: list[str] = []
        self._day = BEGUN

    def copy(self, home: Path) -> "Clerk":
        """The same clerk with a copy of all stores, who may try things out."""
        home.mkdir()
        for name in ("books.duckdb", "usage.duckdb", "homemeeting.toml"):
            if (self.home / name).exists():
                shutil.copy(self.home / name, home / name)
        for name in ("evidence", "documents"):  # a PDF that is there is not printed again
            if (self.home / name).exists():
                shutil.copytree(self.home / name, home / name)
        found = Clerk(home, self.rng, self.currency)
        found.share(self)
        found.said, found._day, found.closing = self.said, self._day, self.closing
        return found

    def type(self, *arguments: str, failing: bool = False) -> str:
        """A command, and what it says on stderr. `failing`: it may have left something undone."""
        self._day += timedelta(1)
        self.said.append(" ".join(arguments))
        done = run_here(self.home, *arguments, now=f"{self._day}T12:00:00Z")
        assert failing or done.returncode == 0, done.stderr
        return done.stderr

    def load(self, text: str) -> None:
        """Prices."""
        self._file("book.toml", text, "price-book", "load")
        self.accounts.load(text)

    def know(self, *rows: str) -> None:
        """Plans that overlap others are refused, and then nothing is known."""
        text = HEADER + "".join(rows)
        if "OVERLAP" not in self._file("accounts.csv", text, "account", "import"):
            self.accounts.import_csv(text)

    def _file(self, name: str, text: str, *command: str) -> str:
        file = self.home.parent / name
        file.write_text(text)
        self.said.append(text)
        return self.type(*command, str(file), failing=True)

    def add_item(self, account: str, day: date, amount: Fraction) -> None:
        """Billed once, with the month of the day, to the currency's places."""
        shown = ("--description", "D", "--amount", text(amount), "--on", day.isoformat())
        self.type("invoice", "item", account, *shown)
        self.items.append((account, day, Fraction(money(amount, self.currency))))

    def use(self, events: list[Event]) -> None:
        """Emitted and projected."""
        lines = [told(one) for one in events]
        self._day += timedelta(1)
        self.said += ["emit", *map(str, lines)]
        project(self.home, lines, now=f"{self._day}T12:00:00Z")
        self.events += events

    def run(self, month: date, account: str | None = None) -> set[str]:
        """Closes the month of one account, or of all that can be closed. The others are those that
        something stands against.
        """
        before = self.documents
        wanted = {
            name: self.ledger.document(name, month, list(before.values()))
            for name in self.accounts.known
            if account in (None, name)
        }
        first = {name: self.comes_first(name, month) for name in wanted}
        asked = ["--month", f"{month:%Y-%m}", *(["--account", account] if account else [])]
        if account is None and self.rng.random() < 0.2:  # in two steps
            self.type("invoice", "run", *asked, failing=True)
            stderr = self.type("invoice", "finalize", *asked, *self.closing, failing=True)
        else:
            stderr = self.type("invoice", "run", "--finalize", *asked, *self.closing, failing=True)
        self.read()
        fresh: dict[str, list[Document]] = {}
        for id, one in self.documents.items():
            if id not in before:
                fresh.setdefault(one["account_id"], []).append(one)
        self.left_open |= {
            (name, month)
            for name in wanted
            if f"USAGE_CONFLICT: {name}" in stderr and f"MONTH_ORDER: {name}" not in stderr
        }
        for name, closed in fresh.items():
            assert not first[name], "there was nothing to bill in what it passed over"
            self.ledger.close(name, month)
            check_documents(self, month, closed, wanted[name])
            for one in closed:
                check_document_taxes(self, one, before)
        return {
            name
            for name in wanted.keys() - fresh.keys()
            if check_left(self, name, month, wanted[name], stderr)
        }

    def read(self) -> None:
        """All documents anew."""
        listed = shown_here(self.home, "invoice", "list")
        found = {one["id"]: one for one in listed if one["status"] != "draft"}
        check_kept(self.documents, found)
        check_numbers(found.values())
        check_all_taxes(found.values())
        self.documents = found

    def settle(self) -> None:
        """Every void month again, then the next month of each account; then all sums are right,
        but of accounts that a record in conflict stands against.
        """
        left: set[str] = set()
        for month in (*sorted({month for month, _ in self.void()}), *self.ahead()):
            left |= self.run(month)
        for account in self.accounts.known.keys() - left:
            check_sum(self, account)


def begin(home: Path, rng: random.Random) -> Clerk:
    """With accounts, prices, plans and some usage; nothing is closed. More often than not the
    seller is somewhere, and charges tax.
    """
    clerk = Clerk(home, rng, rng.choice(["EUR", "JPY", "KWD"]))
    home.mkdir()
    if rng.random() < 0.7:
        (home / "homemeeting.toml").write_text(SELLER)
    open_accounts(clerk)
    return clerk


def open_accounts(clerk: Clerk) -> None:
    """Two to four of them, with prices, plans and some usage."""
    rng = clerk.rng
    for book in BOOKS:
        clerk.load(draw_prices(rng, book, clerk.currency, date(2026, 1, 1)))
    zones = dict(enumerate(rng.sample(ZONES, rng.randrange(2, 5))))
    rows = []
    events: list[Event] = []
    days = [OCTOBER, date(2026, 11, 1), date(2026, 10, rng.randrange(2, 31))]
    for number, zone in zones.items():
        since = rng.choice([date(2026, 1, 1), OCTOBER])
        rows.append(draw_row(rng, f"a{number}", zone, clerk.currency, since))
        events += draw_records(rng, f"a{number}", zone, days, 6)
    clerk.know(*rows)
    clerk.use(events)
