"""What must hold of the documents, of what a run has made of an account, and of the sum of all."""

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from tests.ledger_known import Known
from tests.oracle_ledger import (
    ZERO,
    Amounts,
    Document,
    Key,
    charging,
    instant_us,
    mine,
    sign,
    total,
)


def check_documents(known: Known, month: date, closed: list[Document], wanted: Amounts) -> None:
    """What a run has closed of an account, at most one document apart: by original line it comes to
    what is wanted, and what it adjusts of other months is one line for each, with the document that
    is corrected.
    """
    assert sorted(one["apart"] for one in closed) in ([False], [False, True])
    name, ids = closed[0]["account_id"], [one["id"] for one in closed]
    period = known.ledger.periods(name)[month].period
    found: dict[Key, Fraction] = {}
    others: list[Key] = []
    items = ZERO
    for document, line in ((one, line) for one in closed for line in one["lines"]):
        assert document["period"] == period.span(period.since, period.until)
        assert line["kind"] == "adjustment" or not document["apart"]
        amount = sign(document) * Fraction(line["amount"])
        if line["kind"] == "item":
            items += amount
            continue
        key = known.ledger.key_of(name, line)
        found[key] = found.get(key, ZERO) + amount
        if key.first != month and key.first in known.ledger.periods(name):
            others.append(key)
            _check_adjustment(known, name, key.first, line)
    told = {key: amount for key, amount in found.items() if amount}
    assert told == wanted, (ids, dict(told.items() ^ wanted.items()))
    assert items == known.items_of(name, month), ids
    assert len(others) == len(set(others)), "one line for each original line"
    assert all(wanted.get(key) for key in others), "none where the difference is zero"


def _check_adjustment(known: Known, name: str, first: date, line: Mapping[str, Any]) -> None:
    assert line["kind"] == "adjustment", line
    origins = [one for one in known.standing(name) if known.month(one) == first]
    if not origins:  # the month was passed over
        assert line["origin"] is None, line
        return
    assert line["origin"]["number"] == origins[0]["number"], line
    period = known.ledger.periods(name)[first].period
    edges = [instant_us(line["origin"]["period"][edge]) for edge in ("start", "end")]
    assert edges == [period.start_us, period.end_us], line


def check_left(known: Known, name: str, month: date, wanted: Amounts, stderr: str) -> bool:
    """Of an account without a new document: there is nothing that it would say, or something
    stands against it, and then it is so.
    """
    if any(known.month(one) == month for one in known.standing(name)):
        return False  # closed before
    if month in known.ledger.skipped(name):
        return False  # with a later one
    if f"MONTH_ORDER: {name}" in stderr:
        _check_order(known, name, month)
    refused = f"USAGE_CONFLICT: {name}" in stderr or f"MONTH_ORDER: {name}" in stderr
    pending = wanted or known.items_of(name, month)
    assert refused or not pending, (name, month, wanted, stderr)
    return refused


def _check_order(known: Known, name: str, month: date) -> None:
    """Months wait for others in which there is something to bill, or may be: a commitment that
    comes to nothing holds them up too, and so does what a run has left open, or what is void and
    was paid in advance.
    """
    if known.left_open & {(name, at) for at in known.between(name, month)}:
        return
    if any(account == name and at < month for at, account in known.void()):
        return
    plans = [
        part.plan
        for at in known.between(name, month)
        for part in known.accounts.stretches(name, known.ledger.coming(name, at))
    ]
    is_committed = any(plan and plan.commitment for plan in plans)
    assert known.comes_first(name, month) or is_committed, (name, month)


def check_kept(before: Mapping[str, Document], after: Mapping[str, Document]) -> None:
    """What was final is as it was, but that it may have become void."""
    for id, one in before.items():
        status = after[id]["status"]
        assert status in (one["status"], "void")
        assert after[id] == {**one, "status": status}, f"{id} is not what it was"


def check_numbers(documents: Iterable[Document]) -> None:
    """Without a gap in each series and year, the day of issue never falling."""
    series: dict[str, list[tuple[int, str]]] = {}
    for one in documents:
        if one["number"]:
            name, _, number = one["number"].rpartition("-")
            assert name.endswith(one["issued_on"][:4])
            series.setdefault(name, []).append((int(number), one["issued_on"]))
        else:
            assert not any(Fraction(line["amount"]) for line in one["lines"])
    for numbered in series.values():
        numbered.sort()
        assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
        assert [day for _, day in numbered] == sorted(day for _, day in numbered)


def check_sum(known: Known, account: str) -> None:
    """All documents are what is owed, and items, less concessions, and nothing is left to adjust.
    A month that cannot be settled costs what was charged; what was corrected of an item stays so.
    """
    documents = mine(account, known.documents.values())
    assert known.ledger.adjustments(account, documents) == {}
    settled = known.ledger.settled(account, documents)
    owed, charged = known.ledger.owed(account), known.ledger.charged(account, documents)
    truth = sum((amount for key, amount in owed.items() if key.first in settled), ZERO)
    truth += sum((amount for key, amount in charged.items() if key.first not in settled), ZERO)
    truth += known.billed(account, settled)
    notes = [one for one in documents if one["credit"] == "correction"]
    standing = charging([*notes, *(one for one in documents if one["status"] == "void")])
    truth += sum((amount for line, amount in standing if not known.ledger.is_rated(line)), ZERO)
    conceded = total(one for one in documents if one["credit"] == "concession")
    assert total(documents) == truth + conceded, (account, owed, charged)
