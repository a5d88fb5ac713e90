"""`price-book diff` against two real draft runs: drawn prices, accounts and usage, every model."""

import random
import re
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing import (
    import_accounts,
    list_invoices,
    load_price_book,
    open_books,
    parse_month,
    run_invoices,
)
from edge import load_settings
from tests.command_line import ROOT
from tests.command_line import run_here as run
from tests.command_line import shown_here as shown
from tests.homes import HEADER

TEMPLATE = (ROOT / "billing" / "price-book-template.toml").read_text("utf-8")
PRICE = re.compile(r'\b(amount|unit_price|flat|package_price|fixed|US|DE|"\*") = (\d+\.\d+)')
METERS = {
    **dict.fromkeys(("participant", "transcription", "webinar"), (None,)),
    **dict.fromkeys(("recording", "archive", "ticket_sale"), (None,)),
    "dial_in": (None, "US", "DE", "FR"),
    "message": (None, "sms", "push"),
}
COUNTED = {"recording": 10**10, "archive": 10**11, "ticket_sale": 10**6}
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")
MONTHS = ("2026-10", "2026-11")
START_S = 1_790_640_000  # 2026-09-29
SPAN_S = 64 * 86_400


def some_book(rng: random.Random) -> str:
    """The template's plans, every model among them, at drawn prices."""

    def drawn(found: re.Match[str]) -> str:
        return f"{found[1]} = {Decimal(found[2]) * rng.randrange(500, 1500) / 1000}"

    text = PRICE.sub(drawn, TEMPLATE).replace("2027-01-01", "2026-01-01")
    for before, after in (
        ('line_rounding = "half_up"', 'line_rounding = "half_even"'),
        ('timing = "advance"', 'timing = "arrears"'),
        ("prorate = true", "prorate = false"),
        ("discount_percent = 5", "discount_percent = 12.5"),
        ("package_size = 100", "package_size = 7"),
    ):
        assert before in text
        text = text.replace(before, rng.choice([before, after]))
    return text


def some_accounts(rng: random.Random) -> Iterator[str]:
    for number in range(30):
        zone, id = rng.choice(ZONES), f"a{number:02}"
        days = sorted(rng.sample(range(1, 61), 3))
        dates = [str(date(2026, 10, 1) + timedelta(day)) for day in days]
        ends = rng.choice(["", "", dates[2]])
        history = [("2026-01-01", "", "business"), (dates[0], "", "business"),
                   (dates[1], ends, rng.choice(["free", "business"]))]  # fmt: skip
        for since, until, plan in sorted(rng.sample(history, rng.randrange(1, 4))):
            seats = rng.randrange(1, 9)
            yield f"{id},{id},a@a.example,DE,de,{zone},EUR,{plan},{since},{until},{seats}"


def some_usage(rng: random.Random, count: int) -> Iterator[dict[str, Any]]:
    ids: list[str] = []
    for _ in range(count):
        meter = rng.choice(list(METERS))
        start_us = (START_S + rng.randrange(SPAN_S)) * 1_000_000 + rng.randrange(10**6)
        continues = rng.choice(ids) if ids and rng.random() < 0.1 else None
        ids.append(str(uuid.UUID(int=rng.getrandbits(128))))
        yield {
            "topic": "meetings.usage", "phase": "STOP", "record_id": ids[-1],
            "account_id": f"a{rng.randrange(30):02}", "meeting_id": f"m{rng.randrange(5)}",
            "participant_id": rng.choice([None, "p1", "p2", "p3"]), "meter": meter,
            "variant": rng.choice(METERS[meter]), "server_id": "fra-1", "region": "eu",
            "started_at": start_us, "observed_at": start_us + rng.randrange(20 * 3600 * 10**6),
            "quantity": rng.randrange(COUNTED[meter]) if meter in COUNTED else None,
            "continues": continues,
        }  # fmt: skip


def drafted(home: Path, book: str, accounts: str) -> dict[str, Decimal]:
    """What a run of each month bills, the fees of the month after left out."""
    costs: dict[str, Decimal] = defaultdict(Decimal)
    settings = load_settings(home, {})
    with open_books(settings) as books:
        import_accounts(books, accounts.encode())
        load_price_book(books, book.encode())
        for month in map(parse_month, MONTHS):
            assert run_invoices(books, settings, month, None, None) == []
            for document in list_invoices(books, month):
                costs[document["account_id"]] += sum(
                    Decimal(line["amount"])
                    for line in document["lines"]
                    if line["period"]["start"] < document["period"]["end"]
                )
    return costs


def test_it_equals_two_draft_runs(tmp_path: Path, rng: random.Random) -> None:
    old_home, new_home, file = tmp_path / "old", tmp_path / "new", tmp_path / "new.toml"
    for home in (old_home, new_home):
        home.mkdir()
    old, new = some_book(rng), some_book(rng)
    file.write_text(new)
    accounts = HEADER + "\n".join(some_accounts(rng))
    assert run(old_home, "emit", "-", lines=some_usage(rng, 3_000)).returncode == 0
    assert run(old_home, "consume", "--once").returncode == 0
    shutil.copy(old_home / "usage.duckdb", new_home / "usage.duckdb")
    wanted = {
        "old": drafted(old_home, old, accounts),
        "new": drafted(new_home, new, accounts),
    }
    told = shown(
        old_home, "price-book", "diff", "my-prices", str(file), "--from", "2026-10", "--to",
        "2026-12",
    )  # fmt: skip
    for side, costs in wanted.items():
        assert {row["account_id"]: Decimal(row[side]) for row in told["accounts"]} == costs
        assert Decimal(told["total"][side]) == sum(costs.values())
    assert len(told["accounts"]) > 20
    differences = [Decimal(row["difference"]) for row in told["accounts"]]
    assert differences == sorted(differences)
    assert Decimal(told["total"]["difference"]) == sum(differences)
    assert len(set(differences)) > 5
