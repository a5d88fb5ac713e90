"""A clerk of two to four accounts: closes months, corrects documents, voids them and runs them
again, while usage and changes of plans come late; and what must come of each act.

All goes through the command line; the documents are read as it prints them.
"""

import random
import shutil
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from consumers import Projector
from eventlog import JournalSource
from tests import recount
from tests.command_line import run_here, shown_here
from tests.ledger_world import HEADER, ZONES, Event, draw_prices, draw_records, draw_row, told
from tests.oracle_accounts import Accounts
from tests.oracle_calendar import EPOCH, month_after
from tests.oracle_ledger import ZERO, Document, Key, Ledger, instant_us, mine, sign, total
from tests.oracle_month import Used, used
from tests.oracle_text import money, text
from warehouse import open_store

OCTOBER: Final = date(2026, 10, 1)
BEGUN: Final = date(2027, 6, 1)  # when the clerk begins: all months are over
Documents = dict[str, Document]  # by id


class Clerk:
    """`home` and what is known of it: `documents` are all that are no drafts."""

    def __init__(self, home: Path, rng: random.Random) -> None:
        self.home, self.rng = home, rng
        self.currency = rng.choice(["EUR", "JPY", "KWD"])
        self.events: list[Event] = []
        self.accounts = Accounts(())
        self.ledger = Ledger(self.accounts, self.usage)
        self.documents: Documents = {}
        self.items: list[tuple[str, date, Fraction]] = []
        self.said: list[str] = []
        self.blocked: set[str] = set()  # accounts that a run left out
        self._day = BEGUN

    def usage(self, account: str) -> list[Used]:
        found = used(recount.records(self.events))
        return [one for one in found if one.account_id == account]

    def copy(self, home: Path) -> "Clerk":
        """The same clerk with a copy of all stores, who may try things out."""
        home.mkdir()
        for name in ("books.duckdb", "usage.duckdb"):
            shutil.copy(self.home / name, home / name)
        for name in ("evidence", "documents"):  # a PDF that is there is not printed again
            if (self.home / name).exists():
                shutil.copytree(self.home / name, home / name)
        found = Clerk(home, random.Random(0))
        for name in ("events", "accounts", "items", "_day", "currency"):
            setattr(found, name, getattr(self, name))
        found.said = list(self.said)
        found.documents = dict(self.documents)
        found.ledger = self.ledger.copy()
        return found

    def type(self, *arguments: str, lines: Iterable[Any] = (), failing: bool = False) -> str:
        """A command on the day after the last one; what it says on stderr."""
        self._day += timedelta(1)
        self.said.append(" ".join(arguments))
        done = run_here(self.home, *arguments, lines=lines, now=f"{self._day}T12:00:00Z")
        assert failing or done.returncode == 0, done.stderr
        return done.stderr

    @property
    def _now_us(self) -> int:
        return (self._day - EPOCH.date()).days * 86_400_000_000

    def load(self, since: date) -> None:
        text = draw_prices(self.rng, self.currency, since)
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
        told = ("--description", "D", "--amount", text(amount), "--on", day.isoformat())
        self.type("invoice", "item", account, *told)
        self.items.append((account, day, Fraction(money(amount, self.currency))))

    def use(self, events: list[Event]) -> None:
        """Emitted, projected, and known to the oracle."""
        self.type("emit", "-", "--server-id", "fra-1", lines=[told(one) for one in events])
        with open_store(self.home / "usage.duckdb", "usage").closing() as store:
            Projector(store, lambda: self._now_us).run_once(JournalSource(self.home / "journal"))
        self.said += [str(told(one)) for one in events]
        self.events += events

    def run(self, month: date, account: str | None = None) -> None:
        """Closes the month of one account or of all that can be closed, and holds each document
        to the oracle's.
        """
        asked = ["--account", account] if account else []
        before = list(self.documents.values())
        wanted = {
            one: self.ledger.document(one, month, before)
            for one in self.accounts.known
            if account in (None, one)
        }
        failing = True  # accounts in conflict are left out
        command = ["invoice", "run", "--month", f"{month:%Y-%m}", "--finalize", *asked]
        stderr = self.type(*command, failing=failing)
        self.read()
        fresh = {
            one["account_id"]: one for id, one in self.documents.items()
            if id not in {document["id"] for document in before}
        }  # fmt: skip
        for name, amounts in wanted.items():
            if name in fresh:
                self._closed(name, month, fresh[name], amounts)
            else:
                self._left(name, month, amounts, stderr)

    def _left(self, name: str, month: date, amounts: Mapping[Key, Fraction], stderr: str) -> None:
        """No document: there is nothing that it would say, or something stands against it."""
        if any(self._month(one) == month for one in self._standing(name)):
            return  # closed before
        refused = f"USAGE_CONFLICT: {name}" in stderr or f"MONTH_ORDER: {name}" in stderr
        pending = amounts or self._items(name, month)
        assert refused or not pending, (name, month, amounts, stderr)
        if refused:
            self.blocked.add(name)

    def _standing(self, name: str) -> list[Document]:
        """What runs made of an account and that is not void."""
        return [
            one
            for one in mine(name, self.documents.values())
            if one["credit"] is None and one["status"] != "void"
        ]

    def _month(self, document: Document) -> date:
        return self.ledger.month_of(document["account_id"], {"period": document["period"]})

    def _closed(
        self, name: str, month: date, document: Document, wanted: Mapping[Key, Fraction]
    ) -> None:
        period = self.ledger.close(name, month)
        assert document["period"] == period.span(period.since, period.until)
        found: dict[Key, Fraction] = {}
        others: list[Key] = []
        for line in (line for line in document["lines"] if line["kind"] != "item"):
            key = self.ledger.key_of(name, line)
            amount = sign(document) * Fraction(line["amount"])
            found[key] = found.get(key, ZERO) + amount
            if key.first != month and key.first in self.ledger.periods(name):
                assert line["kind"] == "adjustment", line
                others.append(key)
                self._check_origin(name, key, line)
        told = {key: amount for key, amount in found.items() if amount}
        assert told == wanted, (document["id"], dict(told.items() ^ wanted.items()))
        items = [line for line in document["lines"] if line["kind"] == "item"]
        amount = sum((Fraction(line["amount"]) for line in items), ZERO)
        assert sign(document) * amount == self._items(name, month)
        assert len(others) == len(set(others)), "one line for each original line"
        assert all(wanted.get(key) for key in others), "none where the difference is zero"

    def _check_origin(self, name: str, key: Key, line: Mapping[str, Any]) -> None:
        numbers = [one["number"] for one in self._standing(name) if self._month(one) == key.first]
        origin = line["origin"]
        assert origin["number"] == (numbers[0] if numbers else None), line
        period = self.ledger.periods(name)[key.first].period
        found = (instant_us(origin["period"][edge]) for edge in ("start", "end"))
        assert tuple(found) == (period.start_us, period.end_us), line

    def read(self) -> None:
        """All documents anew: what was final before is as it was, but for being void."""
        listed = shown_here(self.home, "invoice", "list")
        found = {one["id"]: one for one in listed if one["status"] != "draft"}
        for id, one in self.documents.items():
            status = {"status": found[id]["status"]}
            assert status["status"] in (one["status"], "void")
            assert found[id] == {**one, **status}, f"{id} is not what it was"
        self.documents = found
        self._check_numbers()

    def _check_numbers(self) -> None:
        """Without a gap in each series and year, the day of issue never falling."""
        series: dict[str, list[tuple[int, str]]] = {}
        for one in self.documents.values():
            if one["number"]:
                name, _, number = one["number"].rpartition("-")
                assert name.endswith(one["issued_on"][:4])
                series.setdefault(name, []).append((int(number), one["issued_on"]))
            else:
                assert one["status"] in ("nil", "void")
        for numbered in series.values():
            numbered.sort()
            assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
            assert [day for _, day in numbered] == sorted(day for _, day in numbered)

    def void(self) -> set[tuple[date, str]]:
        """Month and account of what is void and was not run again."""
        states: dict[tuple[date, str], set[str]] = {}
        for one in self.documents.values():
            if one["credit"] is None:
                states.setdefault((self._month(one), one["account_id"]), set()).add(one["status"])
        return {place for place, found in states.items() if found == {"void"}}

    def settle(self) -> None:
        """Every void month again, then the next month of each account; then all sums are right,
        but of accounts that a record in conflict blocks.
        """
        self.blocked.clear()
        for month, account in sorted(self.void()):
            self.run(month, account)
        for month in self.ahead():
            self.run(month)
        for account in self.accounts.known.keys() - self.blocked:
            self._check_sum(account)

    def next(self, account: str) -> date:
        """The first month that is neither closed nor was."""
        last = self.ledger.last(account)
        return month_after(last) if last else OCTOBER

    def ahead(self) -> list[date]:
        """The months from the first that some account has not closed to the one after the last
        that any has.
        """
        following = [self.next(account) for account in self.accounts.known]
        at, until = min(following), max(following)
        found = []
        while at <= until:
            found.append(at)
            at = month_after(at)
        return found

    def _check_sum(self, account: str) -> None:
        """All documents are what is owed, and items, less concessions; what cannot be settled is
        what was charged.
        """
        documents = mine(account, self.documents.values())
        settled = self.ledger.settled(account, documents)
        owed, charged = self.ledger.owed(account), self.ledger.charged(account, documents)
        truth = sum((amount for key, amount in owed.items() if key.first in settled), ZERO)
        truth += sum((amount for key, amount in charged.items() if key.first not in settled), ZERO)
        truth += self._billed(account, settled)
        conceded = total(one for one in documents if one["credit"] == "concession")
        found = total(documents)
        assert found == truth + conceded, (account, found, truth, conceded, settled, owed, charged)

    def _items(self, account: str, month: date) -> Fraction:
        """What stands on its document once: items of the month, and the concessions on documents
        of it that are void.
        """
        documents = mine(account, self.documents.values())
        void = {
            one["number"]
            for one in documents
            if one["status"] == "void" and self._month(one) == month
        }
        conceded = (one for one in documents if one["credit"] == "concession")
        carried = total(one for one in conceded if one["corrects"] in void)
        return self._billed(account, {month}) + carried

    def _billed(self, account: str, months: set[date]) -> Fraction:
        """What the items of these months come to."""
        mine = [(day, amount) for name, day, amount in self.items if name == account]
        return sum((amount for day, amount in mine if day.replace(day=1) in months), ZERO)


def begin(home: Path, rng: random.Random) -> Clerk:
    """Two to four accounts with prices, plans and some usage, nothing closed."""
    clerk = Clerk(home, rng)
    clerk.load(date(2026, 1, 1))
    zones = rng.sample(ZONES, rng.randrange(2, 5))
    names = [f"a{number}" for number in range(len(zones))]
    clerk.know(
        *(
            draw_row(rng, name, zone, clerk.currency, rng.choice([date(2026, 1, 1), OCTOBER]))
            for name, zone in zip(names, zones, strict=True)
        )
    )
    days = [OCTOBER, date(2026, 11, 1), date(2026, 10, rng.randrange(2, 31))]
    records = (
        draw_records(rng, name, zone, days, 6) for name, zone in zip(names, zones, strict=True)
    )
    clerk.use([event for each in records for event in each])
    return clerk
