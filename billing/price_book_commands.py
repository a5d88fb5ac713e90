"""The price-book commands: new, check, load, list, show; gathers diff."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import click

from billing.audit_trail import Act
from billing.book_diff_command import diff_command
from billing.book_versions import is_file, version_in_force
from billing.books import open_books, read_input
from billing.imports import load_book
from billing.plan_text import plan_lines
from billing.pricebook import Charge, Plan, PriceBook
from billing.pricebook_check import parse_price_book
from billing.wording import counted
from edge import Refused
from edge.command import clock, common, form, say, settings, show_json, show_rows
from edge.instants import instant

_FILE = click.Path(path_type=Path, dir_okay=False)
_TEMPLATE: Final = Path(__file__).parent / "price-book-template.toml"
_SHOWN: Final = ("plan", "kind", "code", "text")
_WIDTH: Final = 96


@click.group("price-book")
def price_book() -> None:
    """What things cost: new, check, load, list, show, diff.

    \b
    Example: homemeeting price-book load standard-2026.toml
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@price_book.command("check")
@click.argument("file", type=_FILE)
@common
def check_command(file: Path) -> None:
    """Check a price book and load nothing.

    \b
    Example: homemeeting price-book check standard-2026.toml
    Exit codes: 0 without a fault; 1 every fault on stderr; 2 wrong usage.
    """
    book = parse_price_book(read_input(file))
    say(f"{book.book} of {book.effective_from} has {counted(len(book.plans), 'plan')} and no fault")


@price_book.command("load")
@click.argument("file", type=_FILE)
@common
def load_command(file: Path) -> None:
    """Load a price book. Loading the same file twice changes nothing.

    \b
    Example: homemeeting price-book load standard-2026.toml
    Exit codes: 0 loaded; 1 refused, every fault on stderr, nothing loaded; 2 wrong usage.
    """
    content = read_input(file)
    act = Act(clock()(), settings().user, "price-book load", "", "", {"file": file.name})
    with open_books(settings()) as books:
        found = load_book(books, content, act)
    book = found.book
    done = "loaded" if found.is_new else "was loaded already"
    say(f"{book.book} of {book.effective_from} {done}")
    for month, accounts in found.closed:
        say(
            f"warning: {month} is closed for {counted(accounts, 'account')}: what is closed keeps "
            "the version that it was made from"
        )
    for since, until in pairwise((*found.versions, None)):
        end = f" and before {until}" if until else ""
        say(f"{book.book} of {since} bills months and plans that begin from {since} on{end}")


@price_book.command("list")
@common
def list_books() -> None:
    """The loaded books and their versions.

    \b
    Example: homemeeting price-book list
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    columns = ("book", "effective_from", "currency", "sha256")
    with open_books(settings(), make=False) as books:
        sql = f"SELECT {', '.join(columns)} FROM price_books ORDER BY book, effective_from"
        found = books.records(sql)
    show_rows(found, columns, "no price book is loaded: `homemeeting price-book load`")


@price_book.command("new")
@click.argument("file", type=_FILE)
@common
def new_command(file: Path) -> None:
    """Write a commented template, with every model, to begin from.

    \b
    Example: homemeeting price-book new my-prices.toml
    Exit codes: 0 written; 1 refused, such as a file that is there already; 2 wrong usage.
    """
    try:
        with _TEMPLATE.open("rb") as template, file.open("xb") as new:
            shutil.copyfileobj(template, new)
    except FileExistsError:
        raise Refused("FILE_EXISTS", f"{file} is there already: name another file") from None
    say(f"{file} written: change it, then `homemeeting price-book check {file}`")


@price_book.command("show")
@click.argument("book", metavar="BOOK")
@click.argument("plan", required=False)
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The version in force on this day [today, UTC].",
)
@common
def show_command(book: str, plan: str | None, on: datetime | None) -> None:
    """A book's plans, or one, as a customer would read them.

    BOOK is the code of a loaded book, or a file: a path with a slash, or a name that ends in .toml.

    \b
    Example: homemeeting price-book show standard-2026 business --on 2026-10-01
    Exit codes: 0 shown; 1 refused, such as no such book or plan; 2 wrong usage.
    """
    if is_file(book):
        if on is not None:
            raise click.UsageError("--on is of a loaded book; a file is one version.")
        found = parse_price_book(read_input(Path(book)))
    else:
        found = _loaded(book, on.date() if on else instant(clock()()).date())
    _show(found, _plans(found, plan))


def _loaded(code: str, day: date) -> PriceBook:
    with open_books(settings(), make=False) as books:
        return version_in_force(books, code, day)


def _plans(book: PriceBook, code: str | None) -> tuple[Plan, ...]:
    if code is None:
        return book.plans
    plan = book.plan(code)
    if plan is None:
        codes = ", ".join(one.code for one in book.plans)
        raise Refused("PLAN_UNKNOWN", f"{book.book} has no plan {code}; there are: {codes}")
    return (plan,)


def _show(book: PriceBook, plans: tuple[Plan, ...]) -> None:
    if form() == "json":
        show_json(_as_data(book, plans))
        return
    if form() == "csv":
        lines = ((plan, line) for plan in plans for line in plan_lines(plan, book.currency))
        show_rows([{"plan": plan.code, **asdict(line)} for plan, line in lines], _SHOWN)
        return
    half = "to even" if book.line_rounding == "half_even" else "up"
    click.echo(f"{book.book}, in force from {book.effective_from}, in {book.currency} before tax")
    click.echo(f"Each line is rounded once, halves {half}.")
    for plan in plans:
        click.echo(f"\n{plan.name} ({plan.code})")
        for line in plan_lines(plan, book.currency):
            click.echo(click.wrap_text(line.text, _WIDTH, "  ", "    "))


def _as_data(book: PriceBook, plans: tuple[Plan, ...]) -> dict[str, Any]:
    """The book's own structure; each part has the sentence that tells it as `text`."""
    return {
        "book": book.book,
        "effective_from": book.effective_from,
        "currency": book.currency,
        "line_rounding": book.line_rounding,
        "plans": [_plan_data(plan, book.currency) for plan in plans],
    }


def _plan_data(plan: Plan, currency: str) -> dict[str, Any]:
    told = {(line.kind, line.code): line.text for line in plan_lines(plan, currency)}
    commitment = plan.commitment and {
        **asdict(plan.commitment),
        "text": told["commitment", "commitment"],
    }
    return {
        "code": plan.code,
        "name": plan.name,
        "free": plan.free,
        "fees": [{**asdict(fee), "text": told["fee", fee.code]} for fee in plan.fees],
        "charges": [
            {**dict(_charge_data(charge)), "text": told["charge", charge.code]}
            for charge in plan.charges
        ],
        "commitment": commitment,
    }


def _charge_data(charge: Charge) -> Iterator[tuple[str, Any]]:
    """The model stands beside its own keys, under `pricing`; prices are a table by variant."""
    for name, value in asdict(charge).items():
        if name == "pricing":
            pricing = {key: told for key, told in value.items() if key != "model"}
            if "prices" in pricing:
                pricing["prices"] = dict(pricing["prices"])
            yield "model", charge.model
            yield name, pricing
        else:
            yield name, value


price_book.add_command(diff_command)


COMMANDS: tuple[click.Command, ...] = (price_book,)
