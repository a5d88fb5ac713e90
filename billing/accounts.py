"""Accounts and their subscriptions, read from CSV.

Owns the columns, their checks, and the rule by which imported rows join an account's history.
Personal data is in Account alone. Whether a plan exists is not asked here: accounts may come
before their price book.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Any, Final

from edge import Fault, Refused
from edge.currencies import OUT_OF_USE, is_known_currency, is_used_currency
from edge.faults import nearest
from edge.party import RULES, TEXT_MAX, Rule, is_printable, shape, wrong_vat_number


@dataclass(frozen=True, slots=True)
class Account:
    """Who is billed. Texts that were not given are None."""

    account_id: str
    name: str
    email: str
    country: str
    language: str
    time_zone: str
    currency: str
    legal_name: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    customer_type: str | None = None
    vat_number: str | None = None
    registration_id: str | None = None
    tax_exempt_reason: str | None = None
    payment_terms_days: int | None = None
    purchase_order: str | None = None
    buyer_reference: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan from one local day to another, `until` exclusive; None: until the next begins."""

    account_id: str
    since: date
    until: date | None
    book: str | None
    plan: str
    quantity: int


@dataclass(frozen=True, slots=True)
class AccountFile:
    """A CSV file without faults. A subscription with `until` = `since` takes one out.

    `columns` are those of an account that the file has; of the others it says nothing.
    """

    columns: tuple[str, ...]
    accounts: tuple[Account, ...]
    subscriptions: tuple[Subscription, ...]


_REQUIRED: Final = (
    *("account_id", "name", "email", "country", "language", "time_zone", "currency"),
    *("plan", "since"),
)
_ACCOUNT_COLUMNS: Final = tuple(column.name for column in fields(Account))
_COLUMNS: Final = (*_REQUIRED, "until", "quantity", *_ACCOUNT_COLUMNS[7:])
_ID: Final = r"[A-Za-z0-9_.:@+-]{1,128}"


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        return False
    try:
        return 1970 < date.fromisoformat(value).year < 2200
    except ValueError:
        return False


_RULES: Final[Mapping[str, Rule]] = {
    **RULES,
    "account_id": shape(_ID, "an id of [A-Za-z0-9_.:@+-]{1,128}"),
    "language": shape(
        r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?", "a language tag such as de or pt-BR"
    ),
    "currency": (is_known_currency, "an ISO 4217 code such as EUR"),
    "plan": shape(f"({_ID}/)?{_ID}", "a plan code, or book/plan"),
    "since": (_is_date, "a date such as 2026-10-01"),
    "until": (_is_date, "a date such as 2026-10-01"),
    "quantity": shape(r"[1-9]\d{0,8}", "a whole number from 1 to 999999999"),
    "payment_terms_days": shape(r"\d{1,3}", "a whole number of days from 0 to 999"),
    "customer_type": shape("business|consumer", "business or consumer"),
    "tax_category": shape(_ID, "a code of [A-Za-z0-9_.:@+-]{1,128}"),
}


def wrong_value(column: str, value: str) -> str | None:
    """What is wrong with a value of this column, for a file and for a command alike."""
    holds, wanted = _RULES.get(column, (bool, ""))
    return None if holds(value) else f"{value!r} is not {wanted}"


def split_plan(text: str) -> tuple[str | None, str]:
    """The book, if it is named, and the plan."""
    book, _, plan = text.rpartition("/")
    return book or None, plan


def name_plan(book: str | None, plan: str) -> str:
    """As `split_plan` takes it."""
    return f"{book}/{plan}" if book else plan


def parse_accounts(
    content: str | bytes,
    history: Iterable[Subscription] = (),
    fixed_currencies: Mapping[str, str] = MappingProxyType({}),
) -> AccountFile:
    """The accounts of a CSV file; raises Refused with every fault found.

    `history` is what the books hold already: overlaps with it are faults too, and so is another
    currency than that of `fixed_currencies`, by account_id.
    """
    faults: list[Fault] = []
    rows = list(_rows(content, faults))
    accounts: dict[str, tuple[int, Account]] = {}
    placed: dict[tuple[str, date], tuple[int, Subscription]] = {}
    for line, row in rows:
        found = _check_row(line, row, faults)
        _check_currency(line, row, fixed_currencies, faults)
        if not found or any(name not in row for name in _REQUIRED):
            continue
        account, subscription = _account(row), _subscription(row)
        _note_account(line, account, accounts, faults)
        _note_subscription(line, subscription, placed, faults)
    faults += _overlaps(placed, history)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        summary = f"the accounts file has {count}; nothing was imported"
        raise Refused("ACCOUNTS_INVALID", summary, faults)
    header = rows[0][1] if rows else {}
    return AccountFile(
        tuple(name for name in _ACCOUNT_COLUMNS if name in header),
        tuple(account for _, account in accounts.values()),
        tuple(subscription for _, subscription in placed.values()),
    )


def merge_history(
    existing: Iterable[Subscription], incoming: Iterable[Subscription]
) -> tuple[Subscription, ...]:
    """The history after an import: rows replace those of the same (account_id, since), the
    others stay, and a row whose `until` is its `since` is taken out. Merging twice is merging
    once. The result is in order of account and date.
    """
    rows = {(row.account_id, row.since): row for row in (*existing, *incoming)}
    return tuple(rows[key] for key in sorted(rows) if rows[key].until != rows[key].since)


def effective_history(history: Iterable[Subscription]) -> tuple[Subscription, ...]:
    """The same rows with `until` filled in where the account's next row ends an open one."""
    rows = merge_history(history, ())
    ends = [
        following.since if row.account_id == following.account_id else None
        for row, following in pairwise(rows)
    ]
    return tuple(
        Subscription(row.account_id, row.since, row.until or end, row.book, row.plan, row.quantity)
        for row, end in zip(rows, [*ends, None], strict=False)
    )


def _rows(content: str | bytes, faults: list[Fault]) -> list[tuple[int, dict[str, str]]]:
    """The rows as dictionaries, each with the number of its line, as far as they can be read."""
    rows: list[tuple[int, dict[str, str]]] = []
    line = 1
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, faults)
        line = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                message = f"has {len(cells)} cells where the header has {len(header)}"
                faults.append(Fault("ROW_LENGTH", f"row {line}", message))
            elif cells:
                values = (cell.strip() for cell in cells)
                rows.append((line, dict(zip(header, values, strict=True))))
            line = reader.line_num + 1
    except UnicodeDecodeError as error:
        faults.append(Fault("NOT_UTF8", f"byte {error.start}", "the file must be UTF-8 text"))
    except csv.Error as error:
        faults.append(Fault("CSV_INVALID", f"row {line}", f"{error}: nothing after it was read"))
    return rows


def _check_header(header: list[str], faults: list[Fault]) -> None:
    for name in header:
        if name not in _COLUMNS:
            hint = nearest(name, _COLUMNS) or f"known are {', '.join(_COLUMNS)}"
            faults.append(Fault("UNKNOWN_COLUMN", f"row 1, {name}", f"unknown column; {hint}"))
    for name in _REQUIRED:
        if name not in header:
            faults.append(Fault("COLUMN_MISSING", f"row 1, {name}", "the column is missing"))
    for name in sorted({name for name in header if header.count(name) > 1}):
        faults.append(Fault("DUPLICATE", f"row 1, {name}", "the column is there twice"))


def _check_row(line: int, row: Mapping[str, str], faults: list[Fault]) -> bool:
    known = len(faults)
    for name, value in row.items():
        place = f"row {line}, {name}"
        if not value:
            if name in _REQUIRED:
                faults.append(Fault("VALUE_MISSING", place, "is empty"))
        elif len(value) > TEXT_MAX or not is_printable(value):
            message = f"must be at most {TEXT_MAX} printable characters on one line"
            faults.append(Fault("BAD_VALUE", place, message))
        elif wrong := wrong_value(name, value) or _wrong_of_row(name, row):
            faults.append(Fault("BAD_VALUE", place, wrong))
    since, until = row.get("since", ""), row.get("until", "")
    if _is_date(until) and _is_date(since) and until < since:
        faults.append(Fault("BAD_VALUE", f"row {line}, until", "must not be before since"))
    return len(faults) == known


def _wrong_of_row(column: str, row: Mapping[str, str]) -> str | None:
    """What is wrong with a value beside the others of its row. A VAT number beside a country that
    is none is judged by its own letters.
    """
    if column != "vat_number":
        return None
    country = row.get("country", "")
    return wrong_vat_number(row[column], None if wrong_value("country", country) else country)


def _check_currency(
    line: int, row: Mapping[str, str], fixed: Mapping[str, str], faults: list[Fault]
) -> None:
    """One that is gone stays that of its accounts, and nobody else's."""
    told, known = row.get("currency", ""), fixed.get(row.get("account_id", ""))
    if is_known_currency(told) and told != known and not is_used_currency(told):
        message = f"{told!r} {OUT_OF_USE}"
        faults.append(Fault("BAD_VALUE", f"row {line}, currency", message))
    if known is not None and is_known_currency(told) and told != known:
        message = f"{told}, but {row['account_id']} has documents or entered amounts in {known}"
        faults.append(Fault("CURRENCY_FIXED", f"row {line}, currency", message))


def _account(row: Mapping[str, str]) -> Account:
    terms = row.get("payment_terms_days")
    texts = {name: row.get(name) or None for name in _ACCOUNT_COLUMNS[7:]}
    required = {name: row[name] for name in _ACCOUNT_COLUMNS[:7]}
    values: dict[str, Any] = {**required, **texts}
    return Account(**{**values, "payment_terms_days": int(terms) if terms else None})


def _subscription(row: Mapping[str, str]) -> Subscription:
    book, plan = split_plan(row["plan"])
    until = row.get("until")
    return Subscription(
        account_id=row["account_id"],
        since=date.fromisoformat(row["since"]),
        until=date.fromisoformat(until) if until else None,
        book=book,
        plan=plan,
        quantity=int(row.get("quantity") or 1),
    )


def _note_account(
    line: int, account: Account, accounts: dict[str, tuple[int, Account]], faults: list[Fault]
) -> None:
    first_line, first = accounts.setdefault(account.account_id, (line, account))
    for name in _ACCOUNT_COLUMNS:
        if getattr(account, name) != getattr(first, name):
            message = f"differs from row {first_line} of the same account"
            faults.append(Fault("ACCOUNT_DIFFERS", f"row {line}, {name}", message))


def _note_subscription(
    line: int,
    row: Subscription,
    placed: dict[tuple[str, date], tuple[int, Subscription]],
    faults: list[Fault],
) -> None:
    first_line, first = placed.setdefault((row.account_id, row.since), (line, row))
    if first is not row:
        message = f"row {first_line} has the same account and date"
        faults.append(Fault("DUPLICATE", f"row {line}, since", message))


def _overlaps(
    placed: Mapping[tuple[str, date], tuple[int, Subscription]], history: Iterable[Subscription]
) -> list[Fault]:
    """Overlaps in the history as it would be, each at the row of the file that makes it."""
    touched = {account_id for account_id, _ in placed}
    merged = merge_history(
        (row for row in history if row.account_id in touched), (row for _, row in placed.values())
    )
    faults: list[tuple[int, Fault]] = []
    for _, rows in groupby(merged, key=lambda row: row.account_id):
        for row, following in pairwise(rows):
            if row.until is None or row.until <= following.since:
                continue
            ends = placed.get((row.account_id, row.since))
            begins = placed.get((following.account_id, following.since))
            if ends is not None:
                line, column = ends[0], "until"
            elif begins is not None:
                line, column = begins[0], "since"
            else:
                continue  # both were there before; a file is not to blame for them
            message = (
                f"{row.plan} until {row.until} overlaps {following.plan} since {following.since}"
            )
            faults.append((line, Fault("OVERLAP", f"row {line}, {column}", message)))
    return [fault for _, fault in sorted(faults, key=lambda item: item[0])]
