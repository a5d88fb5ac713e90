"""A closed document derived again: its lines and the records of each, by the statements that made
them, from one source of records.

Owns what is said of lines that come out otherwise. The source is told by the view `near_all`.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from billing.adjustments import find_adjustments
from billing.apart import part_lines
from billing.evidence import lay_kinds, told_parts
from billing.item_lines import lay_items
from billing.line_values import terms_told, value_text
from billing.queries import SQL, VERIFY
from billing.rating import lay_lines, place_usage, rate, too_large
from billing.reconstruction import Act
from edge import Fault
from warehouse import Store

Row = Mapping[str, Any]
_AMOUNTS: Final = ("amount", "owed", "charged")
_REST: Final = (
    *("line", "records", "own", "quantity", "packages", "tiers", "discount", "bound"),
    *("advance", "origin", "credits"),
)
_FEW: Final = 5


def place_records(books: Store, act: Act) -> None:
    """Leaves `sourced_records`: the records of each line by the source, in the shape of the
    evidence; and `adjustments`, what closed periods owed beyond what was charged before the act.
    To be called after `derive` of the same act.
    """
    _adjust(books, act)
    if not _lies(books, act):
        lay_lines(books, place_usage(books, act.own))
        _lay_own(books)
    _note_records(books)


def _lies(books: Store, act: Act) -> bool:
    """Whether the month still lies as it was laid for the source before: that no other was laid
    since, and this source has no records of a kind that none of those had.
    """
    return not act.revisits.cohorts and not books.value(VERIFY["new_kinds"])


def derive(books: Store, act: Act) -> list[Fault]:
    """As `place_records`, and leaves the lines as they come out, for `line_faults`. The faults are
    of accounts that cannot be rated.
    """
    beyond = _adjust(books, act)
    numbering = place_usage(books, act.own)
    rate(books, numbering)
    _lay_own(books)
    _note_records(books)
    return [*beyond, *too_large(books, numbering)]


def _lay_own(books: Store) -> None:
    for name in ("laid_lines", "told_documents", "on_lines"):
        books.execute(VERIFY[name])
    lay_kinds(books)


def _note_records(books: Store) -> None:
    books.execute(VERIFY["no_records"])
    for bounds in told_parts(books):
        books.execute(VERIFY["sourced_records"], bounds)


def _adjust(books: Store, act: Act) -> list[Fault]:
    for name in ("near_records", "no_adjusted_rows"):
        books.execute(VERIFY[name])
    beyond = find_adjustments(books, act.revisits, act.number)
    if act.revisits.cohorts:
        for name in ("laid_lines", "adjusted_rows"):
            books.execute(VERIFY[name])
    return beyond


def missing_adjustments(books: Store, source: str, last_batch: int) -> list[tuple[str, Fault]]:
    """What `place_records` found owed by a source of this name and no line charges, where it was
    known when the document was made: a fault of each, with its document.
    """
    found = []
    for row in books.records(VERIFY["missing_adjustments"], {"last_batch": last_batch}):
        told = f"{row['code']} ({row['variant']})" if row["variant"] else row["code"]
        message = (
            f"an adjustment of {told} of {row['month']} is missing: {_amount(row)} by {source}"
        )
        found.append((row["invoice"], Fault("LINE_MISSING", row["name"], message)))
    return found


def line_faults(books: Store, act: Act) -> list[tuple[str, Fault]]:
    """Compares what `derive` left, with the evidence as its source, with the frozen lines: a fault
    of each line that differs, with its document.
    """
    told: dict[str, Any] = {"month": str(act.month), "act": act.number}
    books.execute(VERIFY["only_on_documents"])
    books.execute(SQL["extra_lines"], told)
    if found := books.records(VERIFY["items"]):
        lay_items(books, found)
    books.execute(VERIFY["apart_lines"], {"act": act.number})
    part_lines(books, told)
    books.execute(VERIFY["drafts"], told)
    books.execute(SQL["drafted_lines"])
    books.execute(VERIFY["differing_lines"])
    if not books.value("SELECT count(*) FROM differing_lines"):
        return []
    return list(_compared(books.records(VERIFY["told_lines"])))


def _compared(rows: list[dict[str, Any]]) -> Iterator[tuple[str, Fault]]:
    """Lines for the same thing side by side, in their order."""
    sides: dict[tuple[Any, ...], tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row in rows:
        terms = json.loads(row["content"]) if row["content"] else {}
        named = (row["invoice"], row["kind"], row["month"], row["variant"], terms.get("code"))
        begin = None if terms.get("advance") else terms.get("period")
        sides[*named, str(begin)][not row["is_frozen"]].append({**row, "terms": terms})
    for frozen, derived in sides.values():
        for was, now in zip_longest(frozen, derived):
            one = was or now
            place = f"{one['name']} line {one['invoice']}.{one['line']:04}"
            yield one["invoice"], Fault("LINE_DIFFERS", place, _message(was, now))


def _message(was: Row | None, now: Row | None) -> str:
    one = was or now
    assert one is not None
    code = one["terms"].get("code") or "terms unknown"
    told = f"{code} ({one['variant']})" if one["variant"] else code
    if was is None:
        return f"{told} is not on the document, and comes to {_amount(one)} by the evidence"
    if now is None:
        return f"{told} stands at {_amount(one)}, and nothing in the evidence comes to it"
    said, meant = (terms_told(row["terms"], row["currency"]) for row in (was, now))
    differences = [_differs(name, was, now) for name in _AMOUNTS if was[name] != now[name]]
    differences += [
        f"{name} {said.get(name, 'none')}, by the book {meant.get(name, 'none')}"
        for name in sorted({*said, *meant})
        if said.get(name) != meant.get(name)
    ]
    differences += [
        _differs(name, was, now)
        for name in _REST
        if was[name] != now[name] and (name != "tiers" or was["quantity"] == now["quantity"])
    ]
    return f"{told}: {'; '.join(differences[:_FEW]) or 'its terms'}"


def _differs(name: str, was: Row, now: Row) -> str:
    return f"{name} {value_text(was, name)}, by the evidence {value_text(now, name)}"


def _amount(row: Row) -> str:
    return value_text(row, "amount")
