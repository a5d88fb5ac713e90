"""The command price-book diff: how a comparison of two versions is asked for and shown."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import click

from billing.book_diff import BookPair, compare_books
from billing.book_versions import find_version
from billing.books import open_books
from billing.money import minor_text, round_half_up
from billing.month import Month, parse_month
from billing.queries import SQL
from billing.wording import counted
from edge import Refused
from edge.command import (
    common,
    form,
    left_undone,
    progress,
    say,
    settings,
    show_json,
    show_rows,
)
from warehouse import Store

Row = dict[str, Any]
_COLUMNS: Final = ("account_id", "name", "plan", "old", "new", "difference", "percent")
_TOTALS: Final = ("currency", "accounts", "old", "new", "difference", "percent")
_BIGGEST: Final = 10


def _first_of_month(_: click.Context, __: click.Parameter, value: str) -> Month:
    try:
        return parse_month(value.removesuffix("-01") if len(value) == 10 else value)
    except Refused:
        message = f"{value!r} is not the first day of a month: give it as 2026-10-01 or 2026-10."
        raise click.BadParameter(message) from None


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--from",
    "since",
    required=True,
    callback=_first_of_month,
    metavar="DATE",
    help="The first day of the first month.",
)
@click.option(
    "--to",
    "until",
    required=True,
    callback=_first_of_month,
    metavar="DATE",
    help="The first day after the last month.",
)
@common
def diff_command(old: str, new: str, since: Month, until: Month) -> None:
    """What accounts on one version would pay under another.

    Their bills for the usage there was, under both versions; nothing is written.

    OLD and NEW are codes of loaded books, meaning the version in force on --from (before the first
    one, that); CODE@DATE, the version with this effective_from; or files, loaded or not: a path
    with a slash, or a name that ends in .toml. A plan is compared with that of the same code.

    What a month costs counts, with its own advance fees. A table shows the ten accounts that would
    save most and the ten that would pay most more; csv and json show all.

    \b
    Example: homemeeting price-book diff standard-2026 next.toml --from 2026-10-01 --to 2026-11-01
    Exit codes: 0 shown; 1 refused, or accounts left out, each on stderr; 2 wrong usage.
    """
    if until <= since:
        raise click.UsageError("--to is exclusive: it must be a later month than --from.")
    home = settings()
    months = list(_months(since, until))
    with open_books(home, make=False) as books:
        pair = BookPair(*(find_version(books, name, since.since) for name in (old, new)))
        say(f"{pair.names[0]} against {pair.names[1]}")
        with progress("Rating each month under both", len(months)) as advance:
            faults = compare_books(books, home, pair, months, advance)
        _show(books, pair, since, until, left_out=bool(faults))
    left_undone("ACCOUNTS_LEFT", f"{counted(len(faults), 'account')} cannot be compared", faults)


def _months(since: Month, until: Month) -> Iterator[Month]:
    while since < until:
        yield since
        since = since.after


def _show(books: Store, pair: BookPair, since: Month, until: Month, *, left_out: bool) -> None:
    currency = pair.old.currency
    is_table = form() == "table"
    (total,) = books.records(SQL["compared_totals"])
    found = books.records(SQL["compared_rows"], {"most": _BIGGEST if is_table else None})
    rows = [_row(one, currency) for one in found]
    whole = {**_row(total, currency), "currency": currency}
    if form() == "json":
        show_json(_as_data(pair, (since.since, until.since), rows, whole))
    elif not is_table:
        show_rows(rows, _COLUMNS)
    elif not total["accounts"]:
        if not left_out:
            say(f"no account is on {pair.old.book} between {since.since} and {until.since}")
    else:
        _show_biggest([row for row in rows if row["is_less"]], total["less"], "less")
        _show_biggest([row for row in rows[::-1] if not row["is_less"]], total["more"], "more")
        same = total["accounts"] - total["less"] - total["more"]
        click.echo(f"{same} of {total['accounts']} accounts would pay the same.\n")
        show_rows([whole], _TOTALS)


def _show_biggest(rows: list[Row], count: int, what: str) -> None:
    shown = "" if count == len(rows) else f"; the {len(rows)} with the biggest difference"
    click.echo(f"Would pay {what}: {count}{shown}")
    if rows:
        show_rows(rows, _COLUMNS)
    click.echo()


def _row(found: Row, currency: str) -> Row:
    """Its amounts as decimals of the currency; what changed in percent of the old, to 2 places."""
    old, difference = found["old"], found["difference"]
    amounts = {name: minor_text(found[name], currency) for name in ("old", "new", "difference")}
    percent = None
    if old:
        hundredths = round_half_up(Fraction(difference * 10_000, abs(old)))
        percent = f"{Decimal(hundredths).scaleb(-2):f}"
    return {**found, **amounts, "percent": percent, "is_less": difference < 0}


def _as_data(pair: BookPair, days: tuple[date, date], rows: list[Row], whole: Row) -> Row:
    since, until = days
    return {
        **{
            side: {
                "book": book.book,
                "effective_from": book.effective_from,
                "sha256": book.sha256,
            }
            for side, book in (("old", pair.old), ("new", pair.new))
        },
        "from": since,
        "to": until,
        "currency": pair.old.currency,
        "accounts": [{name: row[name] for name in _COLUMNS} for row in rows],
        "total": {name: whole[name] for name in ("old", "new", "difference")},
    }
