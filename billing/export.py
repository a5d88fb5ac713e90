"""Documents as rows for other programs: a row for each line, and one for each rate of tax.

Owns the columns. They say all that a ledger, a One Stop Shop return or a list of EC sales needs, so
that none of them needs a second source. Amounts are as charged: what is given back is negative, and
the rows of a document add up to its total.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from billing.described import described
from edge import Fault, Refused

COLUMNS: Final = (
    *("document", "kind", "credit", "status", "corrects", "month"),
    *("issued_on", "due_on", "account_id", "debtor", "country", "vat_number", "customer_type"),
    *("line", "line_kind", "code", "description", "variant", "ledger_account"),
    *("service_from", "service_until", "quantity", "unit", "currency", "amount"),
    *("tax_category", "tax_percent", "tax_country", "tax_reason", "adjusts"),
    *("tax_currency", "tax_currency_rate", "tax_currency_amount"),
)
_DAYS: Final = ("issued_on", "due_on", "service_from", "service_until")
_AMOUNTS: Final = ("amount", "tax_currency_amount")
_DIGITS: Final = pa.decimal128(38, 4)
_SCHEMA: Final = pa.schema(
    [
        (name, pa.date32() if name in _DAYS else _DIGITS if name in _AMOUNTS else pa.string())
        for name in COLUMNS
    ]
)
_AT_ONCE: Final = 10_000
Row = dict[str, Any]


def export_rows(documents: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Of documents of the shape that `invoice show` prints, in their order. A rate of tax is a row
    of the kind `tax`.
    """
    for one in documents:
        head = _head(one)
        sign = -1 if one["kind"] == "credit_note" else 1
        countries = {
            (tax["category"], tax["rate_percent"]): (tax["country"], tax["reason"])
            for tax in one["taxes"]
        }
        for line in one["lines"]:
            yield head | _line(line, sign, one["currency"], countries)
        for tax in one["taxes"]:
            yield head | _tax(one, tax, sign)


def _head(one: Mapping[str, Any]) -> Row:
    buyer = one["buyer"]
    told = {
        "document": one["number"] or one["id"],
        "month": one["id"].partition(".")[0],
        "debtor": buyer["legal_name"] or buyer["name"],
    }
    names = (
        "kind",
        "credit",
        "status",
        "corrects",
        "issued_on",
        "due_on",
        "account_id",
        "currency",
    )
    of_buyer = ("country", "vat_number", "customer_type")
    return (
        dict.fromkeys(COLUMNS)
        | told
        | {name: one[name] for name in names}
        | {name: buyer[name] for name in of_buyer}
    )


def _line(line: Mapping[str, Any], sign: int, currency: str, countries: Mapping[Any, Any]) -> Row:
    tax = line["tax"] or {"category": None, "rate_percent": None}
    country, reason = countries.get((tax["category"], tax["rate_percent"]), (None, None))
    names = ("code", "variant", "ledger_account", "quantity", "unit")
    return {name: line[name] for name in names} | {
        "line": line["id"],
        "description": described(line, currency),
        "line_kind": line["kind"],
        "service_from": line["period"]["start"][:10],
        "service_until": _last_day(line["period"]["end"]),
        "amount": _signed(line["amount"], sign),
        "tax_category": tax["category"],
        "tax_percent": tax["rate_percent"],
        "tax_country": country,
        "tax_reason": reason,
        "adjusts": line["origin"] and line["origin"]["number"],
    }


def _tax(one: Mapping[str, Any], tax: Mapping[str, Any], sign: int) -> Row:
    told: Row = {
        "line_kind": "tax",
        "service_from": one["period"]["start"][:10],
        "service_until": _last_day(one["period"]["end"]),
        "amount": _signed(tax["tax"], sign),
        "tax_category": tax["category"],
        "tax_percent": tax["rate_percent"],
        "tax_country": tax["country"],
        "tax_reason": tax["reason"],
    }
    if other := one["tax_in"]:
        # Documents of before have no parts; of one rate the whole is its part.
        amount = other["tax"] if len(one["taxes"]) == 1 else tax["tax_in"]
        told |= {"tax_currency": other["currency"], "tax_currency_rate": other["rate"]}
        told["tax_currency_amount"] = None if amount is None else _signed(amount, sign)
    return told


def _signed(amount: str, sign: int) -> str:
    return f"{sign * Decimal(amount):f}"


def _last_day(end: str) -> str:
    """Periods are half-open; services are told by their last day."""
    return (datetime.fromisoformat(end) - timedelta(microseconds=1)).date().isoformat()


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Days as dates, amounts as decimals of 4 places. Refuses with EXPORT_AMOUNT where one has too
    many digits for that, every one listed, and EXPORT_WRITE where the disk does; the file is then
    not there.
    """
    fresh = path.with_name(f"{path.name}.part")
    faults: list[Fault] = []
    try:
        with pq.ParquetWriter(fresh, _SCHEMA) as writer:
            for part in _parts(rows):
                writer.write_table(pa.Table.from_pylist(list(_typed(part, faults)), schema=_SCHEMA))
        if faults:
            raise Refused("EXPORT_AMOUNT", "nothing was written: export as csv or json", faults)
        fresh.replace(path)
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror or error}"
        raise Refused("EXPORT_WRITE", what) from error
    finally:
        fresh.unlink(missing_ok=True)


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    yield part


def _typed(part: Iterable[Row], faults: list[Fault]) -> Iterator[Row]:
    for row in part:
        told = dict(row)
        for name in _DAYS:
            told[name] = row[name] and datetime.fromisoformat(row[name]).date()
        for name in _AMOUNTS:
            told[name] = row[name] and Decimal(row[name])
            if told[name] and told[name].adjusted() > 33:
                message = f"{row[name]} {row['currency']} has more digits than a column can hold"
                faults.append(Fault("EXPORT_AMOUNT", row["line"] or row["document"], message))
                told[name] = None
        yield told
