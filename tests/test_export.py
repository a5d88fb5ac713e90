"""Documents for other programs: every cent of a month, signed as it is charged, in each format."""

import csv
import io
import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from billing.export import COLUMNS, write_parquet
from edge import Refused
from tests.clerk import HEADER, Clerk
from tests.test_tax import BOOK, BUYERS, SELLER, join

EXPORT = ("invoice", "export", "--month", "2026-10")


@pytest.fixture(scope="module")
def clerk(tmp_path_factory: pytest.TempPathFactory) -> Clerk:
    """October of six buyers, one of them on a book that names ledger accounts; one invoice is
    credited in part, one void, and a name is a formula.
    """
    found = Clerk(tmp_path_factory.mktemp("october"), "2026-12-10T09:00:00Z")
    found.settings(SELLER + 'tax_currency = "PLN"\n[tax.exchange]\nEUR = "4.25"\n')
    join(found, **BUYERS)
    row = 'zed,"=1+1",z@a.example,DE,en,Europe/Berlin,EUR,led/pro,2026-10-01,'
    book = BOOK.replace('"sk"', '"led"').replace("2024-01-01", "2026-01-01")
    book = book.replace("amount = 10\n", 'amount = 10\nledger_account = "4400"\n')
    found.must("price-book", "load", found.file("led.toml", book + 'ledger_account = "4401"\n'))
    found.must("account", "import", found.file("zed.csv", f"{HEADER}\n{row}\n"))
    for name in (*BUYERS, "zed"):
        found.use(name, "2026-10-05", "2026-10-06", "2026-10-07")
    numbers = {one["account_id"]: one["number"] for one in found.close("2026-10")}
    words = ("--kind", "concession", "--reason", "r", "--line", "1=1")
    found.must("credit-note", numbers["home"], *words)
    found.must("void", numbers["guest"], "--reason", "r")
    return found


def exported(clerk: Clerk, form: str) -> list[dict[str, Any]]:
    text = clerk.must(*EXPORT, "--format", form).stdout
    return json.loads(text) if form == "json" else list(csv.DictReader(io.StringIO(text)))


def test_the_rows_of_each_document_add_up_to_its_total(clerk: Clerk) -> None:
    totals = {one["number"]: Decimal(one["total"]) for one in clerk.sees("invoice", "list")}
    credits = {
        one["number"] for one in clerk.sees("invoice", "list") if one["kind"] == "credit_note"
    }
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in exported(clerk, "json"):
        assert list(row) == list(COLUMNS)
        sums[row["document"]] += Decimal(row["amount"])
    assert len(credits) == 2
    assert sums == {one: -total if one in credits else total for one, total in totals.items()}


def test_it_has_what_ledger_and_returns_need(clerk: Clerk) -> None:
    rows = exported(clerk, "json")

    def of(account: str, *names: str) -> list[tuple[Any, ...]]:
        ours = [one for one in rows if one["account_id"] == account and one["kind"] == "invoice"]
        return [tuple(one[name] for name in names) for one in ours]

    taxed = ("line_kind", "tax_category", "tax_percent", "tax_country", "amount")
    assert of("finn", *taxed) == [
        ("usage", "S", "25.5", "FI", "3.00"),
        ("tax", "S", "25.5", "FI", "0.77"),
    ]
    assert of("works", "vat_number", *taxed)[0][:4] == ("FR40303265045", "usage", "AE", "0")
    assert {row[0] for row in of("far", "tax_reason")} == {"Not subject to VAT"}
    booked = ("code", "ledger_account", "service_from", "service_until")
    october, november = ("2026-10-01", "2026-10-31"), ("2026-11-01", "2026-11-30")
    assert of("zed", *booked) == [
        ("behind", None, *october), ("records", "4401", *october), ("ahead", "4400", *october),
        ("ahead", "4400", *november), (None, None, *october),
    ]  # fmt: skip
    assert of("home", "tax_currency", "tax_currency_rate", "tax_currency_amount")[-1] == (
        "PLN", "4.25", "2.42",
    )  # fmt: skip


def test_no_cell_is_a_formula(clerk: Clerk) -> None:
    told, whole = exported(clerk, "csv"), exported(clerk, "json")
    assert {one["debtor"] for one in told if one["account_id"] == "zed"} == {"'=1+1"}
    assert [one["amount"] for one in told] == [one["amount"] for one in whole]  # minus and all


def test_parquet_has_days_and_decimals(clerk: Clerk, tmp_path: Path) -> None:
    path = tmp_path / "october.parquet"
    clerk.must(*EXPORT, "--format", "parquet", "--output", str(path))
    found = duckdb.sql(
        "SELECT typeof(amount), typeof(issued_on), count(*), sum(amount)"
        f" FROM '{path}' GROUP BY ALL"
    )
    rows = exported(clerk, "json")
    total = sum(Decimal(row["amount"]) for row in rows)
    assert found.fetchall() == [("DECIMAL(38,4)", "DATE", len(rows), total)]
    row = {**rows[0], "amount": "1" + "0" * 34}
    with pytest.raises(Refused) as refused:
        write_parquet([row, rows[1], row], tmp_path / "huge.parquet")
    assert [one.place for one in refused.value.faults] == [rows[0]["line"]] * 2
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_typed_wrong_is_told(clerk: Clerk, tmp_path: Path) -> None:
    assert clerk.types(*EXPORT, "--format", "parquet").returncode == 2
    for form in ("csv", "parquet"):
        nowhere = str(tmp_path / "no" / "file")
        said = clerk.told_by(*EXPORT, "--format", form, "--output", nowhere)
        assert said.startswith("EXPORT_WRITE: ")
    empty = ("invoice", "export", "--month", "2020-01", "--format")
    assert clerk.must(*empty, "json").stdout == "[]\n"
    assert clerk.must(*empty, "csv").stdout == ",".join(COLUMNS) + "\n"


BOOKED = """\
book = "own"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "pro"
name = "Pro"
[[plan.fee]]
code = "ahead"
description = "Ahead"
amount = 10
timing = "advance"
ledger_account = "fee"
[[plan.charge]]
code = "records"
description = "Records"
meter = "participant"
measure = "count"
model = "per_unit"
unit_price = 1
minimum = 2
discount_percent = 10
ledger_account = "charge"
[plan.commitment]
amount = 5
ledger_account = "least"
"""


def test_every_kind_of_line_is_booked_where_its_terms_say(tmp_path: Path) -> None:
    """What adjusts or gives back is booked where it was charged, also when it is owed no more."""
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z")
    clerk.must("price-book", "load", clerk.file("own.toml", BOOKED))
    clerk.subscribe(acme="own/pro,2026-10-01,", void="own/pro,2026-10-01,")
    item = ("--description", "D", "--on", "2026-10-05", "--ledger-account", "item", "--amount", "3")
    for name in ("acme", "void"):
        clerk.must("invoice", "item", name, *item)
        clerk.use(name, "2026-10-05")
    notes = {one["account_id"]: one["number"] for one in clerk.close("2026-10")}

    def booked(month: str) -> Counter[tuple[str, ...]]:
        told = clerk.must("invoice", "export", "--month", month, "--format", "json").stdout
        rows = [one for one in json.loads(told) if one["line_kind"] != "tax"]
        return Counter(
            (one["account_id"], one["kind"], one["line_kind"], one["ledger_account"])
            for one in rows
        )

    october = {("fee", "fee"): 2, ("usage", "charge"): 1, ("commitment", "least"): 1}
    october[("item", "item")] = 1
    wanted = {
        (name, "invoice", *what): count
        for name in ("acme", "void") for what, count in october.items()
    }  # fmt: skip
    assert booked("2026-10") == wanted
    clerk.must("credit-note", notes["acme"], "--kind", "concession", "--reason", "r")
    given = {
        ("acme", "credit_note", "adjustment", where): count
        for (_, where), count in october.items()
    }  # fmt: skip
    assert booked("2026-10") == wanted | given
    concession = ("credit-note", notes["void"], "--kind", "concession", "--reason", "r")
    clerk.must(*concession, "--line", "5=1")
    clerk.must("void", notes["void"], "--reason", "r")
    clerk.must("account", "end", "acme", "--on", "2026-10-31")
    clerk.use("acme", *(f"2026-10-0{day}" for day in range(1, 9)))
    again = clerk.close("2026-10")[-1]
    carried = [one["ledger_account"] for one in again["lines"] if one["kind"] == "item"]
    assert carried == ["item", "item"]
    clerk.close("2026-11")
    told = booked("2026-11")
    assert {what: count for what, count in told.items() if what[0] == "acme"} == {
        ("acme", "credit_note", "adjustment", what): 1 for what in ("fee", "charge", "least")
    }
    clerk.must("invoice", "verify", "--all", "--from-log")
