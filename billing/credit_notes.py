"""Credit notes by hand: concessions, corrections, and what makes documents void.

Owns what may be credited, and what a void document gives back. A credit note stands under the
terms of the lines it takes back, so that what is charged for a period is a sum over lines. Those
that a run makes, because its total is negative, are `billing.closing`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

import pyarrow as pa

from billing.amounts import to_minor
from billing.audit_trail import Act, record
from billing.closing import Closing, begin_run
from billing.credits import return_prepaid
from billing.heads import find_head, find_heads
from billing.items import Item, keep_item
from billing.money import minor_text
from billing.month import Month, parse_month
from billing.numbering import Numbers
from billing.queries import SQL
from billing.rows import load_rows
from billing.taxes import keep_credited_taxes, tax_credits
from edge import Fault, Refused, Settings
from warehouse import Store

Kind = Literal["concession", "correction"]
_CREDITING: Final = {"document": pa.string(), "line": pa.int64(), "amount": pa.string()}


@dataclass(frozen=True, slots=True)
class Credit:
    """What is to be given back, and why. `lines` are numbers of lines, each with an amount as the
    document shows it, None for all that is left; without any, all that is left of all of them.
    """

    kind: Kind
    reason: str
    lines: Mapping[int, Decimal | None]


def give_credit(
    books: Store, home: Settings, name: str, credit: Credit, asked: Closing
) -> dict[str, Any]:
    """Issues a credit note on an invoice, and gives its head. Refuses with CREDIT_REFUSED, every
    fault listed, INVOICE_UNKNOWN and ISSUE_DATE.
    """
    head = find_head(books, name)
    _refuse(_not_creditable(head))
    _load_credited(books, [head["id"]])
    left = {line: (whole, amount) for line, whole, amount in books.rows(_LEFT)}
    wanted = credit.lines or dict.fromkeys(line for line, (_, amount) in left.items() if amount)
    faults: list[Fault] = []
    taken = []
    for line, told in wanted.items():
        amount = _taken(head, line, told, left, faults)
        taken += [{"document": head["id"], "line": line, "amount": str(amount)}] if amount else []
    total = sum(int(row["amount"]) for row in taken)
    if not faults and not taken:
        faults.append(Fault("NOTHING_LEFT", head["number"], "nothing is left to give back"))
    elif not faults:
        faults += _not_in_all(head, total, sum(amount for _, amount in left.values()))
    _refuse(faults)
    load_rows(books, "crediting", taken, _CREDITING, {"amount": "HUGEINT"})
    with books.transaction():
        run = begin_run(books, parse_month(head["month"]), asked)
        _issue(books, home, credit.kind, credit.reason, asked, run)
        if credit.kind == "correction":
            books.execute(SQL["mark_credited"], {"reason": "correction"})
        (note,) = _notes(books)
        details = {"run": run, "kind": credit.kind, "credit_note": note["number"]}
        act = (asked.now_us, asked.who, "credit-note", head["number"], credit.reason)
        record(books, [Act(*act, details)])
    return note


def void_documents(
    books: Store, home: Settings, names: Sequence[str], reason: str, asked: Closing
) -> list[dict[str, Any]]:
    """Makes documents void, takes back what is left of their lines by documents of their own, and
    gives the heads of those. What the void ones carried is to be billed again: one-off items and
    prepaid credit by themselves, other periods as adjustments, concessions as items of their
    month. Refuses with VOID_REFUSED, every fault listed, and ISSUE_DATE.
    """
    heads, unknown = find_heads(books, names)
    faults = [Fault("INVOICE_UNKNOWN", name, f"there is no invoice {name}") for name in unknown]
    faults += [fault for head in heads for fault in _not_voidable(head)]
    if faults:
        raise Refused("VOID_REFUSED", "nothing was made void", faults)
    _load_credited(books, [head["id"] for head in heads])
    books.execute("CREATE OR REPLACE TEMP TABLE crediting AS FROM left_of_lines WHERE amount <> 0")
    with books.transaction():
        run = begin_run(books, parse_month(heads[0]["month"]), asked)
        _issue(books, home, "void", reason, asked, run)
        return_prepaid(books)
        books.execute(SQL["mark_credited"], {"reason": "void"})
        _carry_concessions(books, asked)
        books.execute(SQL["make_void"], {"run": run})
        notes = _notes(books)
        details = {"run": run, "documents": [note["number"] for note in notes]}
        acts = (
            Act(
                asked.now_us,
                asked.who,
                "void",
                head["number"] or head["id"],
                reason,
                details,
            )
            for head in heads
        )
        record(books, acts)
    return notes


def same_notes(books: Store, id: str) -> list[str]:
    """The numbers of earlier credit notes on the same document, as much for the same reason: this
    one may have been typed twice.
    """
    sql = """SELECT other.number FROM invoices AS note
    INNER JOIN invoices AS other
        ON note.corrects = other.corrects AND note.credit = other.credit
        AND note.reason = other.reason AND note.subtotal = other.subtotal AND other.run < note.run
    WHERE note.id = ? ORDER BY other.number"""
    return [number for (number,) in books.rows(sql, [id])]


def documents_of_month(books: Store, month: Month) -> list[str]:
    """The ids of what runs have closed for the month and is not void, in order of account."""
    sql = "SELECT id FROM standing_documents WHERE month = ? ORDER BY account_id, id"
    return [id for (id,) in books.rows(sql, [str(month)])]


_LEFT: Final = "SELECT line, whole, amount FROM left_of_lines ORDER BY line"


def _not_creditable(head: Mapping[str, Any]) -> list[Fault]:
    name = head["number"] or head["id"]
    if head["status"] != "final":
        return [Fault("NOT_FINAL", name, f"is {head['status']}: only a final invoice is credited")]
    if head["kind"] != "invoice" or head["credit"]:
        return [Fault("NOT_AN_INVOICE", name, "is a credit note: it can only be made void")]
    return []


def _not_voidable(head: Mapping[str, Any]) -> list[Fault]:
    name = head["number"] or head["id"]
    if head["status"] not in ("final", "nil"):
        return [Fault("NOT_FINAL", name, f"is {head['status']}: only what is final is made void")]
    if head["credit"]:
        message = (
            "was issued by hand: what a run has issued is made void, with what was given on it"
        )
        return [Fault("NOT_OF_A_RUN", name, message)]
    return []


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise Refused("CREDIT_REFUSED", "nothing was credited", faults)


def _load_credited(books: Store, ids: Sequence[str]) -> None:
    load_rows(books, "credited", ({"id": id} for id in ids), {"id": pa.string()})
    books.execute(SQL["left_of_lines"])


def _taken(
    head: Mapping[str, Any],
    line: int,
    told: Decimal | None,
    left: Mapping[int, tuple[int, int]],
    faults: list[Fault],
) -> int:
    """What is taken back of a line, in the currency's smallest units."""
    place = f"{head['id']}.{line:04}"
    if line not in left:
        faults.append(Fault("LINE_UNKNOWN", place, f"there is no such line; it has {len(left)}"))
        return 0
    whole, rest = left[line]
    if told is None:
        return rest
    shown = f"{minor_text(rest, head['currency'])} {head['currency']}"
    try:
        amount = to_minor(told, head["currency"])
    except Refused as refused:
        faults.append(Fault(refused.code, place, refused.summary))
        return 0
    if (amount < 0) != (whole < 0):
        message = f"must have the sign of the line, of which {shown} is left"
        faults.append(Fault("BAD_AMOUNT", place, message))
    elif abs(amount) > abs(rest):
        faults.append(Fault("MORE_THAN_LEFT", place, f"{shown} is left of it"))
    return amount


def _not_in_all(head: Mapping[str, Any], total: int, rest: int) -> list[Fault]:
    """A document with negative lines is never credited beyond what is left of it in all: what
    remained could be credited by nobody.
    """
    name, currency = head["number"], head["currency"]
    if total <= 0:
        message = (
            f"these lines come to {minor_text(total, currency)} {currency}: a credit note gives "
            f"something back, {minor_text(rest, currency)} {currency} is left of all lines"
        )
        return [Fault("BAD_AMOUNT", name, message)]
    if total > rest:
        message = f"{minor_text(rest, currency)} {currency} is left of it, negative lines included"
        return [Fault("MORE_THAN_LEFT", name, message)]
    return []


def _issue(  # noqa: PLR0913, PLR0917  each is one column of the document
    books: Store, home: Settings, credit: str, reason: str, asked: Closing, run: int
) -> None:
    """Numbers and writes what takes `crediting` back, within the caller's transaction."""
    numbers = Numbers(books, home, asked.now_us, asked.issue_date)
    tax_credits(books)
    books.execute(SQL["credit_notes"], numbers.told())
    head = {"today": numbers.day, "credit": credit, "reason": reason, "run": run}
    books.execute(SQL["insert_credit_notes"], head)
    books.execute(SQL["insert_credited_lines"])
    keep_credited_taxes(books)
    numbers.take("credit_notes")


def _notes(books: Store) -> list[dict[str, Any]]:
    sql = """SELECT id, number, kind, account_id, month FROM invoices
    WHERE id IN (SELECT id FROM credit_notes) ORDER BY number"""
    return books.records(sql)


def _carry_concessions(books: Store, asked: Closing) -> None:
    for row in books.records(SQL["carried_concessions"]):
        carried = Item(
            row["account_id"],
            parse_month(row["month"]).since,
            row["description"],
            minor_text(row["amount"], row["currency"]),
            row["tax_category"],
            row["ledger_account"],
            concession=row["number"],
        )
        keep_item(books, carried, asked.now_us)
