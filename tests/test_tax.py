"""What documents charge of tax: whose, at which rate, to the cent; by `tests/oracle_tax.py`."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing.tax import EU, OUTSIDE, REVERSE_CHARGE, Rule, find_rule
from billing.tax_rates import rate_rows
from edge import Fault, Refused
from edge.settings import load_settings
from edge.tax_settings import Exchange, TaxSettings
from tests.clerk import HEADER, Clerk
from tests.oracle_tax import check_taxes, last_day, line_tax
from warehouse import open_store

SELLER = """\
[seller]
name = "HomeMeeting GmbH"
street = "Lindenallee 4"
postal_code = "10115"
city = "Berlin"
country = "DE"
vat_number = "DE136695976"
"""
# Each account's country, VAT number and exemption; consumers have no number.
BUYERS = {
    "home": ("DE", "", ""),
    "works": ("FR", "FR40303265045", ""),
    "guest": ("FR", "", ""),
    "finn": ("FI", "", ""),
    "far": ("US", "", ""),
    "school": ("DE", "", "Exempt under § 4 no. 21 UStG"),
}


def join(clerk: Clerk, since: str = "2025-01-01", **buyers: tuple[str, str, str]) -> None:
    """Accounts on plan `p` from that day on, or as they are now."""
    rows = [f"{HEADER},vat_number,tax_exempt_reason,street,postal_code,city"]
    for name, (country, number, exempt) in buyers.items():
        told = f"{name},{name},{name}@a.example,{country},en,Europe/Berlin,EUR"
        rows.append(f"{told},p,{since},,{number},{exempt},Street 1,12345,Town")
    clerk.must("account", "import", clerk.file("buyers.csv", "\n".join(rows)))


def rate(country: str, category: str, percent: str, since: str = "2020-01-01") -> str:
    """As settings tell it."""
    told = f'country = "{country}"\ncategory = "{category}"\npercent = {percent}\n'
    return f"[[tax.rate]]\n{told}from = {since}\n"


def told(document: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """By line: kind, amount, category, percent."""
    lines = document["lines"]
    return [
        (one["kind"], one["amount"], one["tax"]["category"], one["tax"]["rate_percent"])
        for one in lines
    ]


def proved(clerk: Clerk) -> None:
    clerk.must("invoice", "verify", "--all", "--from-log")


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    found = Clerk(tmp_path, "2026-12-10T09:00:00Z")
    found.settings(SELLER)
    return found


def test_who_sells_and_who_buys_decide() -> None:
    def rule(home: str, there: str, number: str = "", *, oss: bool = True, exempt: str = "") -> Any:
        seller = {"country": home, "vat_number": "there is one"}
        buyer = {"account_id": "a", "country": there, "vat_number": number}
        return find_rule(seller, {**buyer, "tax_exempt_reason": exempt}, oss=oss)

    french = "FR40303265045"
    assert rule("DE", "US", exempt="why") == Rule("E", "DE", "why")
    assert rule("DE", "DE") == rule("DE", "DE", "DE136695976") == Rule("S", "DE")
    assert rule("DE", "FR", french) == Rule("AE", "DE", REVERSE_CHARGE)
    assert rule("DE", "FR", "fr 40 303 265 045") == Rule("AE", "DE", REVERSE_CHARGE)
    assert rule("DE", "GR", "EL094259216") == Rule("AE", "DE", REVERSE_CHARGE)
    assert rule("DE", "FR") == Rule("S", "FR")
    assert rule("DE", "FR", oss=False) == Rule("S", "DE")
    for wrong in ("FR40303265046", "nothing", "FR", "DE136695976"):  # or the seller's own country's
        assert rule("DE", "FR", wrong) == Rule("S", "FR"), wrong
    assert rule("DE", "US") == rule("DE", "GB", "GB980780684") == Rule("O", "DE", OUTSIDE)
    assert rule("FR", "MC") == rule("MC", "FR") == rule("DE", "MC") == Rule("S", "FR")
    assert rule("CH", "CH") == Rule("S", "CH")
    assert rule("CH", "FR", french) == rule("CH", "FR", oss=False) == Rule("O", "CH", OUTSIDE)
    assert rule("CH", "FR") == Rule("S", "FR")
    nameless = find_rule(
        {"country": "DE"}, {"account_id": "a", "country": "FR", "vat_number": french}, oss=True
    )
    assert isinstance(nameless, Fault) and nameless.code == "TAX_UNDECIDED"


def test_every_country_of_the_union_has_a_rate_on_every_day() -> None:
    rows = list(rate_rows(TaxSettings()))
    for day in (date(2021, 1, 1), date(2024, 12, 31), date(2025, 12, 31), date(2026, 11, 27)):
        held = [one for one in rows if one["since"] <= day < one["until"]]
        assert sorted(one["country"] for one in held) == sorted(EU)
        assert all(150_000 <= one["ppm"] <= 270_000 for one in held)


def test_rates_of_the_settings_join_ours(tmp_path: Path) -> None:
    swiss = rate("CH", "standard", "8.1", "2024-01-01")
    german = rate("DE", "standard", "18", "2027-01-01")
    pounds = 'GBP = { rate = "1.14", on = 2026-10-30, source = "ECB" }\n'
    text = f'{swiss}{german}[tax.exchange]\nUSD = "0.9213"\n{pounds}'
    (tmp_path / "homemeeting.toml").write_text(text)
    settings = load_settings(tmp_path, {}).tax
    assert settings.exchange == (
        ("USD", Exchange(Decimal("0.9213"))),
        ("GBP", Exchange(Decimal("1.14"), date(2026, 10, 30), "ECB")),
    )
    found = {(one["country"], one["since"]): one for one in rate_rows(settings)}
    assert found["CH", date(2024, 1, 1)]["ppm"] == 81_000
    assert found["DE", date(2021, 1, 1)]["until"] == date(2027, 1, 1)
    assert found["DE", date(2027, 1, 1)]["ppm"] == 180_000


def test_all_that_is_wrong_with_the_table_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "homemeeting.toml").write_text("""\
[tax]
oss = 1
rate_date = "payment"
[tax.exchange]
USD = 0.92
usd = "1"
EUR = "0"
GBP = { rate = "1", on = "2026-10-30", source = "", day = 1 }
CHF = { on = 2026-10-30 }
[[tax.rate]]
country = "Switzerland"
category = "a b"
percent = 101
from = "2024-01-01"
until = 2025-01-01
""")
    with pytest.raises(Refused) as refused:
        load_settings(tmp_path, {})
    assert [(one.code, one.place) for one in refused.value.faults] == [("SETTINGS_TYPE", "tax.oss")]
    text = (tmp_path / "homemeeting.toml").read_text().replace("oss = 1\n", "")
    (tmp_path / "homemeeting.toml").write_text(text)
    with pytest.raises(Refused) as refused:
        load_settings(tmp_path, {})
    places = [one.place for one in refused.value.faults]
    assert places == [
        *(f"tax.rate[1].{key}" for key in ("until", "country", "category", "percent", "from")),
        "tax.rate_date", "tax.exchange.usd", "tax.exchange.EUR",
        *(f"tax.exchange.GBP.{key}" for key in ("day", "on", "source")), "tax.exchange.CHF.rate",
    ]  # fmt: skip


def test_each_buyer_is_charged_by_where_he_is(clerk: Clerk) -> None:
    join(clerk, **BUYERS)
    for name in BUYERS:
        clerk.use(name, "2026-10-05", "2026-10-06", "2026-10-07")
        clerk.must("invoice", "item", name, "--description", "Help", "--amount", "0.55",
                   "--on", "2026-10-20")  # fmt: skip
    documents = {one["account_id"]: one for one in clerk.close("2026-10")}
    for name, one in documents.items():
        seller = {"country": "DE"}
        for line in one["lines"]:
            category, percent = line_tax(seller, one["buyer"], last_day(line), oss=True)
            assert line["tax"]["category"] == category
            assert line["tax"]["rate_percent"] == (None if percent is None else str(Decimal(
                percent.numerator) / percent.denominator))  # fmt: skip
        check_taxes(one)
        assert one["number"] and (clerk.home / "documents" / f"{one['number']}.pdf").exists(), name
    totals = {name: one["total"] for name, one in documents.items()}
    assert totals == {
        "home": "4.22", "works": "3.55", "guest": "4.26", "finn": "4.46", "far": "3.55",
        "school": "3.55",
    }  # fmt: skip
    (reason,) = (one["reason"] for one in documents["school"]["taxes"])
    assert reason == BUYERS["school"][2]
    assert {one["id"]: one["total"] for one in clerk.sees("invoice", "list")} == {
        one["id"]: one["total"] for one in documents.values()
    }
    proved(clerk)


def test_a_run_lists_reverse_charges_by_a_number_that_nobody_checked(clerk: Clerk) -> None:
    join(clerk, works=BUYERS["works"], guest=BUYERS["guest"])
    for name in ("works", "guest"):
        clerk.use(name, "2026-10-05")
    run = ("invoice", "run", "--month", "2026-10")
    title = "Reverse charge by a number nobody checked"
    said = clerk.must(*run).stdout.partition(title)[2]
    assert (
        "works       2026-10.works  FR40303265045" in said and "guest" not in said.split("\n\n")[0]
    )
    clerk.must("account", "vat-check", "works", "--reference", "W1", "--on", "2026-12-01")
    assert title not in clerk.must(*run, "--finalize").stdout


def test_without_a_country_of_the_seller_nothing_is_decided(tmp_path: Path) -> None:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z", acme="p")
    clerk.use("acme", "2026-10-05")
    (one,) = clerk.close("2026-10")
    assert (one["taxes"], one["tax"], one["total"], one["lines"][0]["tax"]) == (
        [],
        None,
        "1.00",
        None,
    )
    clerk.settings(SELLER)  # from now on; what comes late to October is decided anew
    clerk.use("acme", "2026-10-06", "2026-11-05")
    two = clerk.close("2026-11")[-1]
    assert told(two) == [("usage", "1.00", "S", "19"), ("adjustment", "1.00", "S", "19")]
    check_taxes(two)


BOOK = """\
book = "sk"
currency = "EUR"
effective_from = 2024-01-01
[[plan]]
code = "pro"
name = "Pro"
[[plan.fee]]
code = "ahead"
description = "Ahead"
amount = 10
timing = "advance"
[[plan.fee]]
code = "behind"
description = "Behind"
amount = 7
[[plan.charge]]
code = "records"
description = "Records"
meter = "participant"
measure = "count"
model = "per_unit"
unit_price = 1
"""


@pytest.mark.drawn(1)
@pytest.mark.parametrize("by_issue", [False, True])
def test_over_a_change_of_rate_at_new_year(tmp_path: Path, by_issue: bool) -> None:
    """Slovakia: 20 % until the end of 2024, 23 % from 2025 on. December is invoiced in January."""
    clerk = Clerk(tmp_path, "2025-03-10T09:00:00Z")
    slovak = SELLER.replace('"DE"', '"SK"').replace('vat_number = "DE136695976"\n', "")
    clerk.settings(slovak + '[tax]\nrate_date = "issue"\n' * by_issue)
    clerk.must("price-book", "load", clerk.file("sk.toml", BOOK))
    rows = f"{HEADER}\nacme,A,a@a.example,SK,en,Europe/Bratislava,EUR,pro,2024-12-01,\n"
    clerk.must("account", "import", clerk.file("a.csv", rows))
    clerk.use("acme", "2024-12-31T22:59:59Z", "2024-12-31T23:00:00Z")  # the last of 2024, and 2025
    (december,) = clerk.close("2024-12", now="2025-01-04T09:00:00Z")
    old = "23" if by_issue else "20"
    assert told(december) == [
        ("fee", "7.00", "S", old), ("usage", "1.00", "S", old), ("fee", "10.00", "S", old),
        ("fee", "10.00", "S", "23"),
    ]  # fmt: skip
    check_taxes(december)
    clerk.use("acme", "2024-12-05")  # late
    january = clerk.close("2025-01", now="2025-02-04T09:00:00Z")[-1]
    assert told(january) == [
        ("fee", "7.00", "S", "23"), ("usage", "1.00", "S", "23"), ("fee", "10.00", "S", "23"),
        ("adjustment", "1.00", "S", old),
    ]  # fmt: skip
    assert january["lines"][-1]["origin"]["number"] == december["number"]
    check_taxes(january)
    assert len(january["taxes"]) == (1 if by_issue else 2)
    proved(clerk)


def test_an_adjustment_is_taxed_as_its_period_was_invoiced(clerk: Clerk) -> None:
    """Though the buyer is a business by now, or lives elsewhere; a line that was not there then is
    decided by who bought then.
    """
    join(clerk, works=("FR", "", ""))
    clerk.use("works", "2026-10-05")
    (october,) = clerk.close("2026-10")
    assert told(october) == [("usage", "1.00", "S", "20")]
    join(clerk, works=("FR", "FR40303265045", ""))
    clerk.use("works", "2026-10-06", "2026-11-05")
    november = clerk.close("2026-11", now="2026-12-11T09:00:00Z")[-1]
    assert told(november) == [("usage", "1.00", "AE", "0"), ("adjustment", "1.00", "S", "20")]
    check_taxes(november)
    assert [one["reason"] for one in november["taxes"]] == ["Reverse charge", None]
    proved(clerk)


def test_a_line_that_was_not_invoiced_is_decided_by_who_bought_then(clerk: Clerk) -> None:
    """What was nothing then has no line."""
    clerk.settings(SELLER + '[billing]\nzero_invoices = "issue"\n')
    join(clerk, guest=("FR", "", ""))
    book = BOOK.replace('"sk"', '"v"').replace("unit_price = 1", "prices = { DE = 2, FR = 3 }")
    book = (
        book.partition("[[plan.fee]]")[0] + "[[plan.charge]]" + book.partition("[[plan.charge]]")[2]
    )
    clerk.must("price-book", "load", clerk.file("v.toml", book))
    clerk.must("account", "plan", "guest", "v/pro", "--from", "2026-10-01")
    clerk.use("guest", "2026-10-05", variant="DE")
    (october,) = clerk.close("2026-10")
    assert told(october) == [("usage", "2.00", "S", "20")]
    join(clerk, since="2025-01-01", guest=("US", "", ""))
    clerk.use("guest", "2026-10-06", variant="FR")
    november = clerk.close("2026-11", now="2026-12-11T09:00:00Z")[-1]
    assert told(november)[-1] == ("adjustment", "3.00", "S", "20")


def test_items_and_charges_of_other_categories(clerk: Clerk) -> None:
    clerk.settings(SELLER + rate("DE", "reduced", "7") + rate("DE", "zero", "0"))
    join(clerk, home=BUYERS["home"])
    book = BOOK.replace('"sk"', '"t"').replace(
        "amount = 7\n", 'amount = 7\ntax_category = "zero"\n'
    )
    book += 'tax_category = "reduced"\n'
    clerk.must("price-book", "load", clerk.file("t.toml", book))
    clerk.must("account", "plan", "home", "t/pro", "--from", "2026-10-01")
    clerk.use("home", "2026-10-05")
    words = ("invoice", "item", "home", "--description", "B", "--on", "2026-10-05", "--amount")
    clerk.must(*words, "3", "--tax-category", "reduced")
    clerk.must(*words, "-1")
    (one,) = clerk.close("2026-10")
    assert told(one) == [
        ("fee", "7.00", "Z", "0"), ("usage", "1.00", "S", "7"), ("fee", "10.00", "S", "19"),
        ("fee", "10.00", "S", "19"), ("item", "3.00", "S", "7"), ("item", "-1.00", "S", "19"),
    ]  # fmt: skip
    check_taxes(one)
    assert [(tax["category"], tax["tax"]) for tax in one["taxes"]] == [
        ("S", "3.61"), ("S", "0.28"), ("Z", "0.00"),
    ]  # fmt: skip


def test_who_cannot_be_decided_on_waits_alone(clerk: Clerk) -> None:
    clerk.settings(SELLER.replace('vat_number = "DE136695976"\n', ""))
    join(clerk, **{name: BUYERS[name] for name in ("home", "works", "guest")})
    for name in ("home", "works", "guest"):
        clerk.use(name, "2026-10-05")
    words = (
        "invoice",
        "item",
        "guest",
        "--description",
        "B",
        "--on",
        "2026-10-05",
        "--amount",
        "1",
    )
    clerk.must(*words, "--tax-category", "odd")
    said = clerk.told_by("invoice", "run", "--month", "2026-10", "--finalize")
    assert (
        "TAX_RATE_MISSING: guest: there is no rate of FR for odd on 2026-10-05: see [[tax.rate]]\n"
        "TAX_UNDECIDED: works: is charged in reverse, which needs the seller's vat_number in "
        "[seller]\n"
    ) in said
    assert clerk.states() == {
        "2026-10.home": "final", "2026-10.guest": "draft", "2026-10.works": "draft",
    }  # fmt: skip
    draft = clerk.sees("invoice", "show", "2026-10.guest")
    assert (draft["tax"], draft["taxes"], draft["total"]) == (None, [], "2.00")
    report = clerk.types("invoice", "run", "--month", "2026-10").stdout
    assert "TAX_RATE_MISSING" in report and "no rate of FR for odd" in report
    clerk.settings(SELLER + rate("FR", "odd", "5.5"))
    documents = {one["account_id"]: one for one in clerk.close("2026-10")}
    assert documents["guest"]["tax"] == "0.26"
    assert documents["works"]["taxes"][0]["category"] == "AE"
    for one in documents.values():
        check_taxes(one)


def test_tax_in_another_currency_is_told_in_the_sellers_too(tmp_path: Path) -> None:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z")
    clerk.settings(SELLER + 'tax_currency = "PLN"\n')
    join(clerk, home=BUYERS["home"], works=BUYERS["works"])
    for name in ("home", "works"):
        clerk.use(name, "2026-10-05", "2026-10-06")
    said = clerk.told_by("invoice", "run", "--month", "2026-10", "--finalize")
    assert (
        "RATE_MISSING: home: there is no rate of EUR in PLN: see [tax.exchange] or --rate\n" in said
    )
    assert clerk.states() == {"2026-10.home": "draft", "2026-10.works": "final"}  # nothing to tell
    for wrong in (
        *("EUR", "EUR=0", "EUR=x", "eur=4.25", "EUR=4.25=1", "EUR=4.25@", "EUR=4.25@2026-02-30"),
        *("EUR=4.25@2026-10-30 ", "EUR=4.25@2026-10-30 a\nb", "EUR=4.25@2026-10-30x"),
    ):
        done = clerk.types("invoice", "run", "--month", "2026-10", "--finalize", "--rate", wrong)
        assert done.returncode == 2, wrong
    one = clerk.close("2026-10", "--rate", "EUR=4.2537@2026-10-30 NBP")[0]
    rate = {"currency": "PLN", "rate": "4.2537", "rate_on": "2026-10-30", "rate_source": "NBP"}
    assert (one["tax"], one["tax_in"]) == ("0.38", {**rate, "tax": "1.62"})
    shown = clerk.must("invoice", "show", one["number"]).stdout
    assert "Tax in PLN, at 4.2537 for one EUR (NBP, 2026-10-30): 1.62" in shown
    clerk.settings(SELLER)  # what is given back keeps the rate that it had
    note = clerk.sees("credit-note", one["number"], "--kind", "concession", "--reason", "r")[0]
    assert (note["total"], note["tax_in"]) == ("2.38", {**rate, "tax": "1.62"})


def test_what_each_rate_is_in_the_sellers_currency_adds_up(clerk: Clerk) -> None:
    """0.19 and 0.11 of EUR are 0.8075 and 0.4675 of PLN. The rate has no day and no source."""
    clerk.settings(f'{SELLER}tax_currency = "PLN"\n{rate("DE", "reduced", "7")}')
    join(clerk, home=BUYERS["home"])
    clerk.use("home", "2026-10-05")
    item = ("--description", "B", "--amount", "1.5", "--on", "2026-10-05")
    clerk.must("invoice", "item", "home", *item, "--tax-category", "reduced")
    (one,) = clerk.close("2026-10", "--rate", "EUR=4.25")
    assert one["tax_in"] == {
        "currency": "PLN", "rate": "4.25", "rate_on": None, "rate_source": None, "tax": "1.28",
    }  # fmt: skip
    assert [(tax["tax"], tax["tax_in"]) for tax in one["taxes"]] == [
        ("0.19", "0.81"), ("0.11", "0.47"),
    ]  # fmt: skip
    check_taxes(one)
    words = ("credit-note", one["number"], "--kind", "concession", "--reason", "r")
    check_taxes(clerk.sees(*words, "--line", "1=0.37", "--line", "2=0.55")[0])
    (void,) = clerk.sees("void", one["number"], "--reason", "r")
    check_taxes(void)
    export = clerk.must("invoice", "export", "--month", "2026-10", "--format", "json").stdout
    told: dict[str, Decimal] = defaultdict(Decimal)
    for row in json.loads(export):
        if row["line_kind"] == "tax":
            assert (row["tax_currency"], row["tax_currency_rate"]) == ("PLN", "4.25")
            told[row["document"]] += Decimal(row["tax_currency_amount"])
    assert told[one["number"]] == Decimal("1.28")
    assert told[void["number"]] == -Decimal(void["tax_in"]["tax"])
    proved(clerk)
    with open_store(clerk.home / "books.duckdb", "books").closing() as books:
        books.execute("UPDATE invoice_taxes SET tax_in = 82 WHERE tax_in = 81")
    said = clerk.told_by("invoice", "verify", one["number"], "--no-documents")
    assert "its tax in the tax currency is not the sum of its rates" in said


def test_what_is_given_back_in_parts_is_no_cent_more_than_the_whole(clerk: Clerk) -> None:
    """Three times 0.05 of tax on 0.25; of 0.75 it is 0.14."""
    join(clerk, home=BUYERS["home"])
    clerk.must("invoice", "item", "home", "--description", "A", "--amount", "0.75",
               "--on", "2026-10-05")  # fmt: skip
    (one,) = clerk.close("2026-10")
    assert (one["subtotal"], one["tax"], one["total"]) == ("0.75", "0.14", "0.89")
    words = ("credit-note", one["number"], "--kind", "concession", "--reason")
    notes = [clerk.sees(*words, f"r{at}", "--line", "2=0.25")[0] for at in range(3)]
    assert [note["tax"] for note in notes] == ["0.05", "0.05", "0.04"]
    assert [note["total"] for note in notes] == ["0.30", "0.30", "0.29"]
    assert "NOTHING_LEFT" in clerk.told_by(*words, "r4")
    clerk.must("invoice", "verify", "--all")


def test_prepaid_credit_is_drawn_after_tax_and_comes_back_whole(clerk: Clerk) -> None:
    join(clerk, home=BUYERS["home"])
    clerk.must("account", "credit", "home", "1.10", "--expires", "2027-01-31", "--reference", "r")
    clerk.use("home", "2026-10-05")
    (one,) = clerk.close("2026-10")
    assert (one["total"], one["prepaid"], one["due"]) == ("1.19", "1.10", "0.09")
    check_taxes(one)
    (void,) = clerk.sees("void", one["number"], "--reason", "r")
    assert (void["total"], void["prepaid"], void["due"]) == ("1.19", "1.10", "0.09")
    proved(clerk)


def test_a_document_whose_tax_was_changed_is_told(clerk: Clerk) -> None:
    join(clerk, home=BUYERS["home"])
    clerk.use("home", "2026-10-05")
    (one,) = clerk.close("2026-10")
    for statement, message in (
        ("UPDATE invoices SET tax = 20", "its tax is not the sum of its rates"),
        ("UPDATE invoice_taxes SET tax = 20", "the tax of S 19 % is not that of its lines"),
        (
            "UPDATE invoice_taxes SET taxable = 200",
            "the lines of S 19 % do not come to what is taxed",
        ),
        ("DELETE FROM invoice_taxes", "the lines of S 19 % do not come to what is taxed"),
        ("UPDATE invoice_lines SET tax = replace(tax, '190000', '70000')", "the lines of S 7 %"),
    ):
        with clerk.changed_books(statement):
            said = clerk.told_by("invoice", "verify", one["number"], "--no-documents")
        assert f"TAX_DIFFERS: {one['number']}: " in said and message in said, (statement, said)
