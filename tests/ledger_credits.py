"""What a clerk corrects by hand: concessions, corrections, void documents, and what is left of each
line after that.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from tests.ledger_clerk import Clerk
from tests.oracle_ledger import ZERO, Document, sign
from tests.oracle_text import PLACES, money

KINDS: Final = ("concession", "correction")
Lines = Mapping[str, Fraction]  # by line id


def left(clerk: Clerk, document: Document) -> dict[str, Fraction]:
    """Of each line, as the document shows it, less what credit notes have taken back of it."""
    found = {line["id"]: Fraction(line["amount"]) for line in document["lines"]}
    for note in clerk.documents.values():
        if note["corrects"] == document["number"] and note["credit"]:
            for line in note["lines"]:
                turned = sign(note) * sign(document)
                found[line["credits"]] += turned * Fraction(line["amount"])
    return found


def to_credit(clerk: Clerk) -> list[Document]:
    """Invoices that a run made, of which something is left."""
    return [
        one
        for one in clerk.documents.values()
        if (one["kind"], one["status"], one["credit"]) == ("invoice", "final", None)
        and sum(left(clerk, one).values()) > 0
    ]


def draw_lines(clerk: Clerk, document: Document) -> dict[str, Fraction]:
    """All or a part of what is left of one or two lines; none for the whole document."""
    some = {id: amount for id, amount in left(clerk, document).items() if amount > 0}
    chosen = clerk.rng.sample(sorted(some), min(len(some), clerk.rng.randrange(3)))
    smallest = Fraction(1, 10 ** PLACES[clerk.currency])
    return {
        id: clerk.rng.choice([some[id], max(some[id] / 3 // smallest, 1) * smallest])
        for id in chosen
    }


def credit(clerk: Clerk, document: Document, kind: str, lines: Lines) -> None:
    """A credit note of one of `KINDS`; of no lines, of all that is left."""
    number = document["number"]
    shown = [f"--line={id}={money(amount, clerk.currency)}" for id, amount in lines.items()]
    wanted = lines or left(clerk, document)
    clerk.type("credit-note", number, "--kind", kind, "--reason", "so be it", *shown)
    _issued(clerk, document, kind, wanted)


def void(clerk: Clerk, document: Document) -> None:
    wanted = left(clerk, document)
    clerk.type("void", document["number"], "--reason", "all wrong")
    _issued(clerk, document, "void", wanted)
    assert clerk.documents[document["id"]]["status"] == "void"


def void_month(clerk: Clerk, month: date) -> None:
    """All that runs made of it: nothing of it is left."""
    chosen = {
        one["id"]
        for one in clerk.documents.values()
        if one["credit"] is None and one["status"] != "void" and clerk.month(one) == month
    }
    if chosen:
        clerk.type("void", "--month", f"{month:%Y-%m}", "--reason", "all wrong")
        clerk.read()
    for id in chosen:
        assert clerk.documents[id]["status"] == "void"
        assert not any(left(clerk, clerk.documents[id]).values())


def _issued(clerk: Clerk, document: Document, kind: str, wanted: Lines) -> None:
    """One document more, which takes back so much of these lines, unless that is nothing."""
    before, was = set(clerk.documents), left(clerk, document)
    clerk.read()
    fresh = [one for id, one in clerk.documents.items() if id not in before]
    assert len(fresh) == any(wanted.values())
    for one in fresh:
        assert (one["credit"], one["corrects"]) == (kind, document["number"])
        assert one["period"] == document["period"]
        signed = sign(one) * Fraction(one["subtotal"])
        assert signed == -sign(document) * sum(wanted.values(), ZERO)
    rest = {id: amount - wanted.get(id, ZERO) for id, amount in was.items()}
    assert left(clerk, document) == rest
