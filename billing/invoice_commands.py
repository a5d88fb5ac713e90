"""The invoice commands that look: preview, list, show."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import click

from billing.books import open_books
from billing.closing_record import closing_of, tell_closing, tell_corrections
from billing.described import described
from billing.document import documents
from billing.explanation import explain
from billing.invoices import find_invoice, list_heads
from billing.language import ENGLISH
from billing.month import Month, parse_month
from billing.preview import Preview, preview_invoice
from billing.wording import money
from edge import Refused
from edge.command import (
    clock,
    common,
    form,
    say,
    settings,
    show_json,
    show_rows,
)
from edge.faults import inert
from edge.instants import instant
from edge.lazy_group import LazyGroup
from warehouse import Store

_LIST = ("id", "number", "status", "account_id", "plan", "currency", "total")
_LINES = (
    "kind", "code", "description", "quantity", "unit", "included", "amount",
    "variant", "start", "end", "proration", "packages", "discount", "bound",
)  # fmt: skip
_EXPLAINED = ("code", "description", "quantity", "unit", "unit price", "amount")
_TEXT_MAX: Final = 46


def month_option(_: click.Context, __: click.Parameter, value: str | None) -> Month | None:
    """The callback of every `--month`: wrong ones are wrong usage."""
    try:
        return parse_month(value) if value is not None else None
    except Refused as refused:
        raise click.BadParameter(refused.summary) from None


@click.group(cls=LazyGroup)
def invoice() -> None:
    """Invoices: run, preview, list, show, find, explain, statement.

    \b
    Example: homemeeting invoice run --month 2026-10 --finalize
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


def sums(heads: Iterable[Mapping[str, Any]]) -> str:
    """How many documents of each status and currency there are, and their totals; credit notes
    apart: they are given back.
    """
    found: dict[tuple[bool, str, str], list[Decimal]] = {}
    for one in heads:
        key = (one["kind"] == "credit_note", one["status"], one["currency"])
        found.setdefault(key, []).append(Decimal(one["total"]))
    return "; ".join(
        f"{len(totals)} {status}{', given back' if is_credit else ''}, {sum(totals):,f} {currency}"
        for (is_credit, status, currency), totals in sorted(found.items())
    )


def show_documents(books: Store, heads: Sequence[dict[str, Any]], empty: str) -> None:
    """With --format json whole, else a row each; their sums to stderr."""
    if form() == "json":
        show_json(list(documents(books, [head["id"] for head in heads])))
        return
    show_rows(heads, _LIST, empty)
    if heads:
        say(sums(heads))


@invoice.command("list")
@click.option("--month", callback=month_option, metavar="YYYY-MM", help="Such as 2026-10.")
@common
def list_command(month: Month | None) -> None:
    """Every document, of one month or of all.

    \b
    Example: homemeeting invoice list --month 2026-10
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        heads = list_heads(books, month)
        of = f" of {month}" if month else ""
        show_documents(books, heads, f"no documents{of}: see `homemeeting invoice run`")


@invoice.command("show")
@click.argument("name", metavar="NUMBER-OR-ID")
@common
def show_command(name: str) -> None:
    """One document, and how each amount came about.

    \b
    Example: homemeeting invoice show HM-2026-000001 --format json
    Exit codes: 0 shown; 1 there is none; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        found = find_invoice(books, name)
        closing = closing_of(books, found["id"])
        corrections = list(tell_corrections(books, found))
    against = _not_electronic(found)
    added = {"closing": closing, "no_electronic_invoice": against}
    _show_one(found | {name: told for name, told in added.items() if told is not None})
    if form() == "table":
        reasons = [f"No electronic invoice: {one['message']}" for one in against or ()]
        for told in (*corrections, *_due(found), *reasons, *tell_closing(closing)):
            click.echo(inert(told))


def _not_electronic(found: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """Why there is no electronic invoice of a document, empty where there is one. None of what has
    no number, of which there are no papers at all.
    """
    if not found["number"]:
        return None
    from billing.documents.en16931 import reasons_against  # noqa: PLC0415  loads lxml

    return [{"code": one.code, "message": one.told()} for one in reasons_against(found)]


def _due(found: Mapping[str, Any]) -> Iterator[str]:
    """What was paid before, and what is left to pay; of a credit note, what went back."""
    if found["prepaid"] is not None:
        amounts = [money(Decimal(found[name]), found["currency"]) for name in ("prepaid", "due")]
        until = f" by {found['due_on']}" if found["due_on"] else ""
        is_credit = found["kind"] == "credit_note"
        before, left = ("Back to prepaid credit", "credited") if is_credit else ("Prepaid", "due")
        yield f"{before} {amounts[0]}, {left} {amounts[1]} {found['currency']}{until}"


def _show_one(found: Mapping[str, Any]) -> None:
    if form() == "json":
        show_json(found)
        return
    if form() == "csv":
        show_rows(_lines(found), _LINES)
        return
    name = found["number"] or found["id"]
    show_rows(_explained(found), _EXPLAINED, f"{name} has no lines")
    total = money(Decimal(found["total"]), found["currency"])
    period = ENGLISH.span(found["period"])
    click.echo()
    for told in _taxes(found):
        click.echo(inert(told))
    click.echo(f"{found['status']} {name}, {period}: {total} {found['currency']}")


def _lines(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for line in found["lines"]:
        told = described(line, found["currency"])
        yield {**line, **line["period"], "description": told}


def _taxes(found: Mapping[str, Any]) -> Iterator[str]:
    """Each rate with what it is charged on."""
    currency = found["currency"]
    for one in found["taxes"]:
        taxable, tax = (money(Decimal(one[name]), currency) for name in ("taxable", "tax"))
        rate = f" {one['rate_percent']} %" if one["rate_percent"] else ""
        why = f": {one['reason']}" if one["reason"] else ""
        yield f"Tax {one['category']}{rate} of {taxable}: {tax} {currency}{why}"
    if told := found["tax_in"]:
        tax = money(Decimal(told["tax"]), told["currency"])
        of = [told["rate_source"], told["rate_on"]]
        source = f" ({', '.join(filter(None, of))})" if any(of) else ""
        yield f"Tax in {told['currency']}, at {told['rate']} for one {currency}{source}: {tax}"


def _explained(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Each line and, indented, what explains it; long texts go on in the next row."""
    for line in document["lines"]:
        for at, row in enumerate(explain(line, document)):
            indent = "  " if at else ""
            texts = textwrap.wrap(row.text, _TEXT_MAX - len(indent)) or [""]
            for part, text in enumerate(texts):
                cells = (row.quantity, row.unit, row.price, row.amount) if not part else [""] * 4
                code = line["code"] if not at and not part else ""
                told = (code, indent + text, *cells)
                yield dict(zip(_EXPLAINED, told, strict=True))


@invoice.command("preview")
@click.option("--account", required=True, help="Whose month.")
@click.option(
    "--month",
    callback=month_option,
    metavar="YYYY-MM",
    help="A month that is not closed [the account's running one].",
)
@common
def preview_command(account: str, month: Month | None) -> None:
    """An account's running month so far, as a draft kept nowhere.

    \b
    Example: homemeeting invoice preview --account acme
    Exit codes: 0 shown; 1 refused, such as a closed month; 2 wrong usage.
    """
    home = settings()
    with open_books(home, make=False) as books:
        found = preview_invoice(books, home, account, month, clock()())
    document, *apart = found.documents
    if form() == "json":
        show_json({**document, "apart": apart} if apart else document)
    else:
        for one in found.documents:
            _show_one(one)
    click.echo(_known_until(found), err=form() != "table")


def _known_until(preview: Preview) -> str:
    if preview.read_us is None:
        return (
            "No usage has been read yet: see `homemeeting consume`; fees are for the whole month."
        )
    seen = "none of it of this account"
    if preview.seen_us is not None:
        seen = f"the newest of this account seen at {_utc(preview.seen_us)}"
    return (
        f"Usage is what was read by {_utc(preview.read_us)}, {seen}; fees are for the whole month."
    )


def _utc(moment_us: int) -> str:
    return f"{instant(moment_us):%Y-%m-%d %H:%M:%S} UTC"


invoice.add_later("billing.proof_commands", "find", "statement")
invoice.add_later("billing.run_commands", "run", "finalize")
invoice.add_later("billing.render_command", "render")
invoice.add_later("billing.export_command", "export")
invoice.add_later("billing.item_commands", "item", "items", "item-remove")
invoice.add_later("billing.hold_commands", "hold", "release", "holds")
# What reads the log stands in a package that this one knows nothing of.
invoice.add_later("audit.explain_command", "explain")
invoice.add_later("audit.verify_command", "verify")

COMMANDS: tuple[click.Command, ...] = (invoice,)
