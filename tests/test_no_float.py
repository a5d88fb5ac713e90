"""No statement of billing has a floating point number in its plan: not in a column, nor halfway."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing import (
    Closing,
    Month,
    Verification,
    list_invoices,
    load_price_book,
    open_books,
    run_invoices,
    verify_documents,
)
from billing.alerts import reached_alerts, set_alert
from billing.audit_trail import Act
from billing.book_diff import BookPair, compare_books
from billing.books import load_catalogue
from billing.closing_record import closing_of, tell_closing, tell_corrections
from billing.control_report import Reported, control_report
from billing.credit_notes import Credit, give_credit, void_documents
from billing.credits import Received, add_credit, credits, draw_prepaid, draws
from billing.evidence_reading import evidence_files
from billing.finding import find_lines
from billing.idle_months import pass_over, used_months
from billing.imports import import_file, load_book
from billing.items import Item, add_item, list_items
from billing.layout import lay_out
from billing.preview import preview_invoice
from billing.proven_lines import prove
from billing.queries import (
    CHARGEABLE,
    COPIES,
    GATE,
    LOOKS,
    PROOFS,
    REPORT,
    SQL,
    TAX,
    TOO_OLD,
)
from billing.rating import month_usage
from billing.servers import retire, servers
from billing.statement import statement
from billing.too_old import note_old, too_old
from billing.vat_checks import list_vat_checks
from edge import Refused, Settings
from edge.tax_settings import Exchange, TaxSettings
from tests.billed import CLOSED_AT_US, MIDDLE_US, fill_books, record, store_usage, tell_late
from tests.command_line import run_here, usage_event
from warehouse import Store

OCTOBER, NOVEMBER, DECEMBER, JANUARY = (
    *(Month(2026, number) for number in (10, 11, 12)),
    Month(2027, 1),
)
DAY_US = 86_400 * 1_000_000
EVERY = {
    "sql": SQL, "chargeable": CHARGEABLE, "copies": COPIES, "gate": GATE, "looks": LOOKS,
    "proofs": PROOFS, "report": REPORT, "tax": TAX, "too_old": TOO_OLD,
}  # fmt: skip
ACCOUNTS = """\
account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity
a,A,a@a.example,DE,en,UTC,EUR,p,2026-01-01,,2
a,A,a@a.example,DE,en,UTC,EUR,p,2026-10-17,,3
"""
# With every model and measure, every way to round, and everything else that a plan can have.
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
line_rounding = "half_even"
[[plan]]
code = "p"
name = "P"
commitment = { amount = 500 }
fee = [
{ code = "f", description = "F", amount = 9, timing = "advance", per = "seat", interval = "month" },
{ code = "g", description = "G", amount = 9, timing = "arrears", per = "plan", interval = "month" },
]
"""
CHARGE = '[[plan.charge]]\ncode = "c{}"\ndescription = "C"\n'
USED = 'meter = "participant"\nalso = true\n'
TIERS = "tiers = [{ up_to = 9, unit_price = 0.1, flat = 1 }, { unit_price = 0.05 }]"
# A charge's keys; they take the records of one another.
CHARGES = (
    """measure = "duration"; unit = "minute"; model = "graduated"
    rounding = { scope = "record", quantum = 60, mode = "up", minimum = 60 }"""
    + "; "
    + TIERS,
    """measure = "duration"; unit = "minute"; model = "per_unit"; prices = { DE = 0.1, "*" = 0.2 }
    rounding = { scope = "participant", quantum = 7, mode = "nearest" }""",
    """measure = "maximum"; unit = "seat"; model = "volume"
    rounding = { scope = "participant", quantum = 7, mode = "down" }"""
    + "; "
    + TIERS,
    """measure = "maximum"; unit = "seat"; model = "per_unit"; unit_price = 1
    rounding = { scope = "record", quantum = 7, mode = "up" }""",
    """measure = "quantity"; unit = "GB"; model = "package"; package_size = 0.3; package_price = 1
    rounding = { scope = "period", quantum = 7, mode = "up" }; included = 3
    included_per = "seat" """,
    """measure = "quantity"; model = "percentage"; rate_percent = 2.9; fixed = 0.25
    discount_percent = 3; maximum = 9""",
    'measure = "count"; model = "per_unit"; unit_price = 0.005; minimum = 1',
    'measure = "unique"; model = "per_unit"; unit_price = 0.005',
    'measure = "peak"; model = "per_unit"; unit_price = 0.005',
)
FLAT = 'model = "flat"\namount = 3\n'


def book() -> str:
    used = (
        CHARGE.format(number) + USED + keys.replace("; ", "\n") + "\n"
        for number, keys in enumerate(CHARGES)
    )
    return BOOK + "".join(used) + CHARGE.format("") + FLAT


@dataclass(frozen=True)
class Watch:
    """Statements that ran, and those whose plan has a floating point number in it."""

    ran: set[str] = field(default_factory=set)
    floating: list[str] = field(default_factory=list)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Tells of every statement by its plan, made as it is first about to run: views and macros are
    in their place then, and what it reads is there.
    """
    watch = Watch()
    run = Store._run

    def watching(self: Store, sql: str, parameters: Any = ()) -> Any:
        if sql not in watch.ran:
            watch.ran.add(sql)
            whole = in_full(sql, parameters)
            ((told,),) = run(self, "SELECT json_serialize_plan(?)", [whole]).fetchall()
            assert not json.loads(told)["error"], (whole, told[:500])
            if re.search(r'"id": ?"(DOUBLE|FLOAT)"', told):
                watch.floating.append(sql)
        return run(self, sql, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_run", watching)
        yield watch


def in_full(sql: str, parameters: Mapping[str, Any] | Sequence[Any]) -> str:
    """With its parameters as literals: no plan is told of a statement that has some."""
    if isinstance(parameters, Mapping):
        return re.sub(r"\$([a-z_]+)", lambda name: literal(parameters[name[1]]), sql)
    left = iter(parameters)
    return re.sub(r"\?", lambda _: literal(next(left)), sql)


def literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if value is None or isinstance(value, bool | int):
        return str(value).replace("None", "NULL")
    quoted = "'{}'".format(str(value).replace("'", "''"))
    return f"DATE {quoted}" if isinstance(value, date) else quoted


def test_a_float_halfway_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "SELECT (sum(subtotal) / $by)::HUGEINT AS half FROM invoices"
    home = Settings(Path("/nowhere"), None, "clerk")
    with open_books(home, make=False) as books, watched(monkeypatch) as watch:
        books.execute("SELECT sum(subtotal) // $by AS half FROM invoices", {"by": 2})
        books.execute(wrong, {"by": 2})
    assert watch.floating == [wrong]


@pytest.mark.long
def test_no_statement_of_billing_has_a_float(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = (("street", "Weg 1"), ("postal_code", "10115"), ("city", "Berlin"))
    seller = (("name", "H"), ("country", "DE"), *place, ("tax_currency", "PLN"))
    taxed = TaxSettings(exchange=(("EUR", Exchange(Decimal("4.25"))),))
    home = Settings(tmp_path, None, "clerk", seller=seller, tax=taxed)
    used = [("a", "p", 5), ("a", "p", 7), ("a", None, 2**62), ("nobody", "p", 1)]
    store_usage(
        home,
        [
            record(number, account, participant_id=who, quantity=quantity)
            for number, (account, who, quantity) in enumerate(used, 1)
        ],
    )
    heard = _heard(tmp_path / "heard")
    for one in (home, heard):
        with open_books(one):
            pass  # makes them: what their tables begin with has no plan before they are there
    with watched(monkeypatch) as watch:
        fill_books(home, [book()], ACCOUNTS)
        _run_all(home)
        _run_clerks(home)
        _run_servers(home, heard)
        _run_late(home)
        _run_proofs(home)
        _run_credit_notes(home)
    assert watch.floating == []
    ran = "\n".join(watch.ran)
    assert [
        (folder, name)
        for folder, queries in EVERY.items()
        for name, sql in queries.all().items()
        if not re.search(_with_bounds(sql), ran)
    ] == []


def _run_all(home: Settings) -> None:
    """Everything that billing does with usage and money."""
    with open_books(home) as books:
        preview_invoice(books, home, "a", OCTOBER, MIDDLE_US)
        preview_invoice(books, replace(home, seller=()), "a", OCTOBER, MIDDLE_US)  # untaxed
        with month_usage(books, home, lay_out(books, load_catalogue(books), OCTOBER)):
            for name in ("usage", "unbilled"):
                assert books.rows(SQL[name], {"account": None})
        load_price_book(books, book().replace("2026-01-01", "2026-11-01").encode())
        pair = BookPair(*load_catalogue(books).price_books)
        assert not compare_books(books, home, pair, [OCTOBER], lambda _: None)
        books.rows(SQL["compared_rows"], {"most": 1})
        books.rows(SQL["compared_totals"])
        closing = Closing(CLOSED_AT_US, "clerk")
        assert not run_invoices(books, home, OCTOBER, None, closing, reporter=closing)
        shown = replace(closing, unchanged=True)
        assert run_invoices(books, home, NOVEMBER, None, shown, reporter=shown)
        assert "Sums before tax" in control_report(books, home, Reported(NOVEMBER, None, False))
        _run_shows(books, home)
        closed = [id for (id,) in books.rows("SELECT id FROM invoices WHERE status = 'final'")]
        asked = Verification(whole=True, numbers=True, papers=False)
        assert closed
        assert verify_documents(books, home, closed, asked) == []
        assert len(list_invoices(books, None)) == 2


def _run_shows(books: Store, home: Settings) -> None:
    """Everything that tells of a closed month."""
    (closed,) = [one for one in list_invoices(books, OCTOBER) if one["status"] == "final"]
    assert list(tell_closing(closing_of(books, closed["id"])))
    assert list(tell_corrections(books, closed)) == []
    assert note_old(books, replace(home, adjust_months=0), OCTOBER)
    november = NOVEMBER.period("UTC")
    catalogue = load_catalogue(books)
    waiting = replace(lay_out(books, catalogue, DECEMBER), waiting={"a": (november,)})
    assert pass_over(books, home, catalogue, waiting).passed == {}
    assert used_months(books, home, {("a", november)}) == set()
    with month_usage(books, home, lay_out(books, load_catalogue(books), OCTOBER)):
        assert too_old(books, None) == []


def _run_clerks(home: Settings) -> None:
    """Everything that commands around a run do with money."""
    act = Act(CLOSED_AT_US, "clerk", "test", "a", "", {})
    day = date(2026, 12, 1)
    with open_books(home) as books:
        add_item(books, Item("a", day, "D", "0.005", None), act)
        assert len(books.rows("FROM pending_items")) == len(list_items(books, "a")) == 1
        add_credit(books, Received("a", Decimal("0.01"), day, "r"), act)
        books.execute(
            """CREATE TEMP TABLE closing_totals AS
            SELECT id AS invoice, account_id, issued_on, subtotal AS total
            FROM invoices WHERE status = 'final'"""
        )
        draw_prepaid(books)
        assert [row["left_over"] for row in credits(books, "a")] == [0]
        assert len(draws(books, "a")) == 1
        assert list_vat_checks(books, "a") == []
        set_alert(books, "a", Decimal(1), act, remove=False)
        with reached_alerts(books, home, NOVEMBER, CLOSED_AT_US) as found:
            assert len(found.rows) == 1
        assert len(import_file(books, ACCOUNTS.replace(",,2\n", ",,4\n").encode(), act).late) == 1
        later = book().replace("2026-01-01", "2026-10-15").encode()
        assert load_book(books, later, act).closed == (("2026-10", 1),)


def _heard(home: Path) -> Settings:
    """A home where a server was heard of."""
    home.mkdir()
    event = usage_event(1, "a", "2026-10-04T10:00:00Z", "2026-10-04T11:00:00Z")
    run_here(home, "emit", "-", "--server-id", "x-1", lines=[event], now="2026-10-05T12:00:00Z")
    assert run_here(home, "consume", "--once", now="2026-10-05T12:00:00Z").returncode == 0
    return Settings(home, None, "clerk")


def _run_servers(home: Settings, heard: Settings) -> None:
    """Everything that commands do with servers; what is missing is accepted."""
    act = Act(CLOSED_AT_US, "clerk", "test", "x-1", "", {})
    missing = replace(home, expected_servers=("x-1",))
    with open_books(home) as books:
        assert [row["server_id"] for row in servers(books, missing, CLOSED_AT_US)] == ["x-1"]
        waiting = run_invoices(books, missing, NOVEMBER, None, _closing())
        assert {fault.code for fault in waiting} == {"SERVER_SILENT", "INCOMPLETE"}
        assert not run_invoices(books, missing, NOVEMBER, None, _closing(accept_incomplete="lost"))
        retire(books, missing, ["x-1"], date(2026, 10, 1), act)
    with open_books(heard) as books, pytest.raises(Refused) as refused:
        retire(books, heard, ["x-1"], date(2026, 10, 1), act)
    assert [fault.code for fault in refused.value.faults] == ["SERVER_HEARD"]


def _run_late(home: Settings) -> None:
    """Usage of a closed month, found, and charged by one whose drafts say so already."""
    tell_late(home, [record(9, "a", participant_id="late")])
    with open_books(home) as books:
        run_invoices(books, home, DECEMBER, None, None)
        assert not run_invoices(books, home, DECEMBER, None, replace(_closing(), unchanged=True))
        *_, last = list_invoices(books, DECEMBER)
        assert "adjustment" in {line["kind"] for line in last["lines"]}


def _run_proofs(home: Settings) -> None:
    """From documents to what they were made from, and back."""
    with open_books(home, make=False) as books:
        proof = prove(books, home, "2026-10.a")
        assert list(statement(proof.lines, proof.zone, "day"))
        files, missing = evidence_files(books, home.evidence)
        assert not missing
        assert find_lines(books, files, meeting="m")


def _run_credit_notes(home: Settings) -> None:
    """By hand, by a run, and for what is void; then the void months once more."""
    act = Act(CLOSED_AT_US, "clerk", "test", "a", "", {})
    with open_books(home) as books:
        for kind in ("concession", "correction"):
            credit = Credit(kind, "sorry", {1: Decimal("0.01")})
            assert give_credit(books, home, "2026-10.a", credit, _closing())["number"]
        assert void_documents(books, home, ["2026-10.a"], "wrong", _closing())
        for month in (OCTOBER, JANUARY):
            assert not run_invoices(books, home, month, None, _closing())
        add_item(books, Item("a", date(2027, 2, 1), "D", "-99999", None), act)
        assert not run_invoices(books, home, JANUARY.after, None, _closing())
        assert list_invoices(books, JANUARY.after)[0]["number"].startswith("CN-")


def _closing(**overrides: str) -> Closing:
    return Closing(CLOSED_AT_US + 200 * DAY_US, "clerk", overrides=overrides)


def _with_bounds(sql: str) -> str:
    """A pattern: what is lent has its bounds filled in, for it is the body of a view."""
    told = r"(\\$[a-z_]+|[0-9]+|\\[[^]]*\\]::[A-Z]+\\[\\])"
    return re.sub(r"\\\$[a-z_]+", told, re.escape(sql.strip()))
