"""One absurd account among a thousand: it alone is left out and listed, the others are billed."""

import random
import shutil
from pathlib import Path

import pytest

from billing import open_books
from edge import Settings
from tests.billed import (
    MIDDLE_US,
    Billed,
    State,
    alike,
    bill,
    fill_books,
    record,
    recount,
    store_usage,
)
from tests.fire import WHOLE
from tests.homes import HEADER

pytestmark = pytest.mark.fire
# A million in a whole run; the oracle is what takes its time.
MANY = 1_000_000 if WHOLE else 3000
ACCOUNTS = 1_000
MOST = 2**63 - 1


def _book(name: str, plan: str, price: str) -> str:
    return f"""
book = "{name}"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "{plan}"
name = "{plan}"
[[plan.charge]]
code = "minutes"
description = "Minutes"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.019
[[plan.charge]]
code = "storage"
description = "Storage"
meter = "recording"
measure = "quantity"
unit = "byte"
model = "per_unit"
unit_price = {price}
"""


BOOKS = [
    _book("plain-2026", "plain", "0.000001"),
    _book("own-2026", "own", "999999999.999999999999"),
]


def _row(id: str, plan: str = "plain") -> str:
    return f"{id},{id},{id}@a.example,DE,en,Europe/Berlin,EUR,{plan},2026-01-01,,1\n"


@pytest.fixture(scope="module")
def thousand(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list[State]]]:
    """A home of a thousand accounts, of which three are odd, and the recount's lines of each."""
    rng = random.Random(f"{seed}/absurd")
    folder = tmp_path_factory.mktemp("thousand")
    home = Settings(folder, None, "clerk")
    ids = [f"a{n:04}" for n in range(ACCOUNTS - 3)]
    rows = "".join(map(_row, ids)) + _row("overflow", "own") + _row("many") + _row("zoneless")
    users = [*ids * 2, *["many"] * MANY, "zoneless"]
    records = [
        record(n, id, start=MIDDLE_US + rng.randrange(10**9), length=rng.randrange(1, 10**10))
        for n, id in enumerate(users)
    ]
    records += [
        record(len(users) + n, "overflow", meter="recording", quantity=MOST) for n in range(3)
    ]
    fill_books(home, BOOKS, HEADER + rows, old=True)
    store_usage(home, records)
    return folder, recount(BOOKS, HEADER + rows, records)


@pytest.fixture
def home(thousand: tuple[Path, dict[str, list[State]]], tmp_path: Path) -> Settings:
    """A copy to be spoilt."""
    shutil.copytree(thousand[0], tmp_path, dirs_exist_ok=True)
    return Settings(tmp_path, None, "clerk")


@pytest.fixture
def wanted(thousand: tuple[Path, dict[str, list[State]]]) -> dict[str, list[State]]:
    return thousand[1]


def _spoil(home: Settings, sql: str, *values: str) -> None:
    with open_books(home) as books:
        books.execute(sql, list(values))


def _judge(found: Billed, wanted: dict[str, list[State]], left_out: dict[str, str]) -> None:
    """Exactly these are left out and each is listed once; all others have the recount's lines."""
    assert [(one.place, one.code) for one in found.faults] == sorted(left_out.items())
    assert len(found.documents) == ACCOUNTS - len(left_out)
    assert not found.documents.keys() & left_out.keys()
    for account, document in found.documents.items():
        assert alike(document["lines"], wanted[account]), account


def test_a_quantity_beyond_all_reckoning_and_very_many_records(
    home: Settings, wanted: dict[str, list[State]]
) -> None:
    _judge(bill(home), wanted, {"overflow": "LINE_TOO_LARGE"})


def test_a_zone_that_is_none(home: Settings, wanted: dict[str, list[State]]) -> None:
    """As when a machine's list of zones is older than the books."""
    _spoil(home, "UPDATE accounts SET time_zone = 'Mars/Olympus' WHERE account_id = 'zoneless'")
    _judge(bill(home), wanted, {"overflow": "LINE_TOO_LARGE", "zoneless": "ZONE_UNKNOWN"})


@pytest.mark.parametrize("broken", ["no TOML {{{", 'book = "own-2026"\n', "\x00"])
def test_a_book_that_is_broken(home: Settings, wanted: dict[str, list[State]], broken: str) -> None:
    """As when the disk, or somebody with a database client, has changed what was loaded."""
    _spoil(home, "UPDATE price_books SET content = ? WHERE book = 'own-2026'", broken)
    _judge(bill(home), wanted, {"overflow": "PRICE_BOOK_UNREADABLE"})


def test_a_book_whose_prices_were_changed_behind_our_back_prices_nothing(home: Settings) -> None:
    sql = "UPDATE price_books SET content = replace(content, '0.019', '0.02') WHERE book = ?"
    _spoil(home, sql, "plain-2026")
    found = bill(home)
    assert {one.code for one in found.faults} == {"PRICE_BOOK_UNREADABLE", "LINE_TOO_LARGE"}
    assert found.documents == {}
