"""What is charged of tax on the documents of a drawn ledger, and given back."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from tests.ledger_known import Known
from tests.oracle_ledger import Document, charging, mine, sign
from tests.oracle_tax import check_taxes, last_day, line_tax
from tests.oracle_text import text

SELLER = """\
[seller]
name = "HomeMeeting"
street = "Lindenallee 4"
postal_code = "10115"
city = "Berlin"
country = "DE"
"""
Told = dict[str, str | None]


def check_document_taxes(known: Known, document: Document, before: Mapping[str, Document]) -> None:
    """What a run has closed: every line by who buys, but those that adjust as it was charged."""
    if document["tax"] is None:
        return
    check_taxes(document)
    assert len({one["tax"]["category"] == "O" for one in document["lines"]}) <= 1, document["id"]
    name = document["account_id"]
    earlier = [one for one in mine(name, before.values()) if one["tax"] is not None]
    for line in document["lines"]:
        wanted = [_decided(document, line)]
        if line["kind"] == "adjustment":
            key = known.ledger.key_of(name, line)
            charged = [
                one["tax"]
                for one, _ in charging(earlier)
                if one["kind"] != "item" and known.ledger.key_of(name, one) == key
            ]
            origins = [
                one
                for one in earlier
                if one["credit"] is None
                and not one["apart"]
                and one["status"] != "void"
                and known.month(one) == key.first
            ]
            wanted = charged or [_decided(one, line) for one in origins] or wanted
        assert line["tax"] in wanted, (document["id"], line, wanted)


def _decided(document: Document, line: Mapping[str, object]) -> Told:
    category, percent = line_tax(document["seller"], document["buyer"], last_day(line), oss=True)
    return {"category": category, "rate_percent": None if percent is None else text(percent)}


def check_all_taxes(documents: Iterable[Document]) -> None:
    """Nothing is left of the tax of what is void, and never more is given back than was charged."""
    documents = [one for one in documents if one["tax"] is not None]
    for one in documents:
        if one["credit"] or not one["number"]:
            continue
        notes = [two for two in documents if two["credit"] and two["corrects"] == one["number"]]
        left = sign(one) * Fraction(one["tax"])
        left += sum((sign(two) * Fraction(two["tax"]) for two in notes), Fraction(0))
        net = sign(one) * Fraction(one["subtotal"])
        net += sum((sign(two) * Fraction(two["subtotal"]) for two in notes), Fraction(0))
        if one["status"] == "void":
            assert (net, left) == (0, 0), one["id"]
