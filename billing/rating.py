"""Rating: what every line of a month costs, set-based in SQL on whole numbers.

Owns the tables that the statements read and the order in which they run. The numbers come from
`billing.terms`; which charge takes a record is asked of the plan, once for each kind of record.
Does not know documents.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa

from billing.cohort import Cohort
from billing.fees import Priced
from billing.layout import Layout
from billing.period import Period, Stretch
from billing.pricebook import REST, Charge, Package, PerVariant, Plan, Tiered
from billing.queries import CHARGEABLE, COPIES, SQL
from billing.rows import load_columns, load_rows
from billing.terms import Numbers, Terms
from edge import Fault, Settings
from warehouse import Store, lend_tables

_PART_BITS = 20  # so many of a line's number tell its place in a part of the sweep for peaks
_LONGEST_US: Final = 48 * 3600 * 1_000_000  # of a record, by the rules of an event
_ROUNDING: Final = ("grains", "bias", "quantum", "minimum")
_OF_NUMBERS: Final = (
    *("unit", "included", "scale", "price", "package", "fixed", "keep", "keep_of", "floor"),
    *("ceiling", "minor", "most", "below"),
)
_HUGE: Final = (*_ROUNDING, *_OF_NUMBERS)
_MACROS: Final = ("round_to", "value_of", "round_line")
_TIER: Final = pa.list_(
    pa.struct([(name, pa.string()) for name in ("lower", "upper", "price", "flat")])
)
_TEXT: Final = pa.string()
_INT: Final = pa.int64()
_BOOL: Final = pa.bool_()


class Numbering:
    """The cohorts of a layout, their stretches, plans and terms, each with a number of its own:
    dense, and terms in the order of the document.
    """

    def __init__(self, layout: Layout) -> None:
        self.cohorts: list[Cohort] = [cohort for cohort, _ in layout.cohorts]
        self.stretches: list[tuple[int, int | None, Stretch]] = []  # cohort, plan, it
        self.plans: list[Plan] = []
        self.terms: list[tuple[int, int | None, Terms]] = []  # cohort, stretch, they
        plans: dict[tuple[str, str], int] = {}
        for number, cohort in enumerate(self.cohorts):
            for part in cohort.stretches:
                plan = None
                if part.priced:
                    plan = plans.setdefault(_named(part.priced), len(plans))
                    self.plans += [part.priced[1]] if plan == len(self.plans) else []
                self.terms += [(number, len(self.stretches), terms) for terms in part.terms]
                self.stretches.append((number, plan, part.stretch))
            self.terms += [(number, None, terms) for terms in cohort.more]


def _named(priced: Priced) -> tuple[str, str]:
    return priced[0].sha256, priced[1].code


@contextmanager
def month_usage(books: Store, home: Settings, layout: Layout) -> Iterator[Numbering]:
    """The month's usage beside its layout, for the block: `month_records`, and what a snapshot
    says. Refuses as `lend_tables`.
    """
    with lent_usage(books, home, layout):
        yield place_usage(books, layout)


@contextmanager
def lent_usage(
    books: Store, home: Settings, layout: Layout, revisits: Layout | None = None
) -> Iterator[None]:
    """All usage that may belong to the month, and to periods looked at again, of one state for
    the block. Refuses as `lend_tables`.
    """
    utc = layout.month.period("UTC")
    from_us, end_us = reach([utc, *(cohort.period for cohort, _ in layout.cohorts)])
    again = revisits.cohorts if revisits else ()
    old_from_us, old_end_us = reach([cohort.period for cohort, _ in again])
    bounds: dict[str, int | Sequence[str]] = {
        **{"from_us": from_us, "end_us": end_us},
        **{"old_from_us": old_from_us, "old_end_us": old_end_us},
        "old_accounts": sorted({id for _, ids in again for id in ids}) or [""],
    }
    with lend_tables(books, home.usage, "usage", COPIES.all(), bounds):
        books.execute(SQL["conflicts"])
        yield


def reach(periods: Sequence[Period]) -> tuple[int, int]:
    """From when to when a record may have started to belong to one of these, or be open in it."""
    if not periods:
        return 0, 0
    first = min(period.start_us for period in periods)
    return first - _LONGEST_US, max(period.end_us for period in periods)


def place_usage(books: Store, layout: Layout) -> Numbering:
    """Lays the month beside the usage that is lent, in place of what lay there: `month_records`."""
    numbering = Numbering(layout)
    _load_layout(books, layout, numbering)
    _load_takers(books, numbering)
    for name in ("placed_records", "month_records"):
        books.execute(SQL[name])
    return numbering


def lay_lines(books: Store, numbering: Numbering) -> None:
    """Leaves `line_records`: which record each line rates, and what it comes to there."""
    _load_terms(books, numbering)
    for name in (*_MACROS, "takes", "rates", "taken", "line_records"):
        books.execute(SQL[name])


def rate(books: Store, numbering: Numbering) -> None:
    """Leaves `draft_lines`: every line of every account of the layout, and `rated_lines`."""
    lay_lines(books, numbering)
    books.execute(CHARGEABLE["begin"])
    for name in (
        "sums",
        "sum",
        "record",
        "participant",
        "continued",
        "unique",
        "peak_lines",
        "begin_swept",
    ):
        books.execute(CHARGEABLE[name])
    bits = {"bits": _PART_BITS}
    for (part,) in books.rows(CHARGEABLE["peak_parts"], bits):
        books.execute(CHARGEABLE["swept"], {"part": part, **bits})
    books.execute(CHARGEABLE["peak"])
    for name in ("rated_lines", "draft_lines"):
        books.execute(SQL[name])


def too_large(books: Store, numbering: Numbering) -> Iterator[Fault]:
    """The accounts with a line beyond what can be billed exactly."""
    for account, term in books.rows(SQL["lines_beyond"]):
        code = numbering.terms[term][2].content["code"]
        message = (
            f"{code} is beyond what can be billed exactly: withdraw usage that is wrong "
            "(`usage cancel`), or load a version of its book with fewer digits"
        )
        yield Fault("LINE_TOO_LARGE", account, message)


def _load_layout(books: Store, layout: Layout, numbering: Numbering) -> None:
    ids = [id for _, accounts in layout.cohorts for id in accounts]
    cohorts = [number for number, (_, ids) in enumerate(layout.cohorts) for _ in ids]
    # By id, so that an account's number tells its place among documents.
    order = sorted(range(len(ids)), key=ids.__getitem__)
    columns = {
        "account": pa.array(range(len(ids)), pa.int32()),
        "account_id": pa.array([ids[at] for at in order], _TEXT),
        "cohort": pa.array([cohorts[at] for at in order], pa.int32()),
    }
    load_columns(books, "members", columns)
    windows = [_window(None, layout.month.period("UTC"))]
    windows += [_window(number, one.period) for number, one in enumerate(numbering.cohorts)]
    parts = [
        {**_window(cohort, one), "stretch": number, "plan": plan}
        for number, (cohort, plan, one) in enumerate(numbering.stretches)
    ]
    bounds = {"cohort": pa.int32(), "start_at": pa.timestamp("us"), "end_at": pa.timestamp("us")}
    load_rows(books, "windows", windows, bounds)
    load_rows(books, "stretches", parts, bounds | {"stretch": pa.int32(), "plan": pa.int32()})
    books.execute(SQL["places"])


def _window(cohort: int | None, days: Any) -> dict[str, Any]:
    return {"cohort": cohort, "start_at": days.start_us, "end_at": days.end_us}


def _load_takers(books: Store, numbering: Numbering) -> None:
    """`takers`: which charge of a plan rates a kind of record, and `reasons`: why none does."""
    takers: list[dict[str, Any]] = []
    reasons: list[dict[str, Any]] = []
    for meter, variant in books.rows(SQL["kinds"]):
        for number, plan in enumerate(numbering.plans):
            kind = {"plan": number, "meter": meter, "variant": variant}
            charges = plan.takers(meter, variant)
            takers += [kind | _price_key(one, variant) for one in charges]
            reason = None if charges else _reason(plan, meter)
            reasons += [kind | {"reason": reason}] if reason else []
    kinds = {"plan": pa.int32(), "meter": _TEXT, "variant": _TEXT}
    load_rows(books, "takers", takers, kinds | {"code": _TEXT, "price": _TEXT})
    load_rows(books, "reasons", reasons, kinds | {"reason": _TEXT})


def _price_key(charge: Charge, variant: str | None) -> dict[str, str | None]:
    """Which terms of a charge are a variant's: with prices there are some for each."""
    price = None
    if isinstance(charge.pricing, PerVariant):
        price = variant if charge.names(variant) else REST
    return {"code": charge.code, "price": price}


def _reason(plan: Plan, meter: str) -> str | None:
    """Why no charge takes a record of the meter; None where the plan gives it away."""
    if meter in plan.free:
        return None
    return "no_price" if any(one.meter == meter for one in plan.charges) else "no_charge"


def _load_terms(books: Store, numbering: Numbering) -> None:
    """Numbers travel as text: Arrow has no whole number of 128 bits."""
    laid, usage, fees, commitments = [], [], [], []
    for number, (cohort, stretch, terms) in enumerate(numbering.terms):
        place = {"term": number, "cohort": cohort, "stretch": stretch}
        laid.append({**place, **_laid(terms)})
        if terms.numbers is not None:
            first = _first_price(number, terms)
            usage.append({**place, "place": first, **_usage_row(terms, terms.numbers)})
        elif terms.commitment is not None:
            least = terms.commitment
            told = {"least": str(least.numerator), "below": str(least.denominator)}
            minor = str(10 ** numbering.cohorts[cohort].precision)
            commitments.append({**place, **told, "minor": minor, "even": terms.even})
        else:
            charged = _whole(terms.charged)
            fees.append({**place, "amount": str(terms.amount), "charged": charged})
    place_types = dict.fromkeys(("term", "cohort", "stretch"), pa.int32())
    texts = dict.fromkeys(("id", "key", "kind", "month", "content"), _TEXT)
    casts = dict.fromkeys(("id", "key"), "UUID")
    load_rows(books, "laid_terms", laid, place_types | texts | {"advance": _BOOL}, casts)
    types = {**place_types, "place": pa.int32(), **_USAGE_TYPES}
    load_rows(books, "usage_terms", usage, types, _USAGE_CASTS)
    huge = {"least": _TEXT, "below": _TEXT, "minor": _TEXT}
    casts = dict.fromkeys(huge, "HUGEINT")
    load_rows(books, "commitment_terms", commitments, place_types | huge | {"even": _BOOL}, casts)
    amounts = {"amount": _TEXT, "charged": _TEXT}
    casts = dict.fromkeys(amounts, "HUGEINT")
    load_rows(books, "fee_terms", fees, place_types | amounts, casts)


def _first_price(number: int, terms: Terms) -> int:
    """The number of the first of a charge's terms: lines by variant are in order of variant."""
    pricing = terms.charge.pricing if terms.charge else None
    if not isinstance(pricing, PerVariant):
        return number
    return number - [variant for variant, _ in pricing.prices].index(terms.variant or REST)


def _laid(terms: Terms) -> dict[str, Any]:
    content = terms.content
    return {
        "id": str(terms.id),
        "key": str(terms.key),
        "kind": terms.kind,
        "month": content["month"],
        "advance": content["advance"],
        "content": terms.text,
    }


_USAGE_TYPES: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(("code", "price_of", "measure", "scope", "grouping", "model"), _TEXT),
    **dict.fromkeys(("by_variant", "flat_at_zero", "package_up", "even"), _BOOL),
    **dict.fromkeys(("of_duration", "of_quantity"), _INT),
    **dict.fromkeys(("cap", "cap64", "most_records"), _INT),
    **dict.fromkeys((f"{name}64" for name in _ROUNDING), _INT),
    **dict.fromkeys(_HUGE, _TEXT),
    "tiers": _TIER,
}
_USAGE_CASTS: Final = {
    **dict.fromkeys(_HUGE, "HUGEINT"),
    "tiers": "STRUCT(lower HUGEINT, upper HUGEINT, price HUGEINT, flat HUGEINT)[]",
}


def _usage_row(terms: Terms, numbers: Numbers) -> dict[str, Any]:
    charge = terms.charge
    assert charge is not None
    rounding = charge.rounding
    scope = rounding.scope if rounding else "none"
    pricing = charge.pricing
    rounded = _rounding(rounding.mode if rounding else "none", numbers)
    is_narrow = numbers.cap64 >= 0
    is_flat = charge.model == "flat"
    return {
        "code": charge.code,
        "price_of": terms.variant,
        "measure": charge.measure,
        "of_duration": int(charge.measure == "duration"),
        "of_quantity": int(charge.measure in ("quantity", "maximum")),
        "scope": scope,
        "grouping": _grouping(charge, scope),
        "model": "graduated" if charge.model == "per_unit" else charge.model,
        "by_variant": terms.variant is not None,
        "cap64": numbers.cap64,
        "flat_at_zero": isinstance(pricing, Tiered) and pricing.flat_at_zero,
        "package_up": isinstance(pricing, Package) and pricing.rounding == "up",
        "even": terms.even,
        "cap": numbers.cap,
        "most_records": numbers.most_records,
        **{name: _whole(getattr(numbers, name)) for name in _OF_NUMBERS},
        **{name: _whole(one) for name, one in rounded.items()},
        **{f"{name}64": one if is_narrow else None for name, one in rounded.items()},
        **({"fixed": "0", "floor": None} if is_flat and not terms.owed else {}),
        "tiers": [
            dict(zip(("lower", "upper", "price", "flat"), map(_whole, tier), strict=True))
            for tier in numbers.tiers
        ],
    }


def _rounding(mode: str, numbers: Numbers) -> dict[str, int]:
    """What `round_to` takes, by the names of `_ROUNDING`. Halves go up: (2v + q) // 2q is
    (v + q // 2) // q of whole numbers.
    """
    quantum = 1 if mode == "none" else numbers.quantum
    bias = {"up": quantum - 1, "nearest": quantum // 2}.get(mode, 0)
    told = (numbers.grains, bias, quantum, numbers.minimum)
    return dict(zip(_ROUNDING, told, strict=True))


def _grouping(charge: Charge, scope: str) -> str:
    """What is put together before it is rounded."""
    if charge.measure in ("unique", "peak"):
        return charge.measure
    return scope if scope in ("record", "participant") else "sum"


def _whole(number: int | None) -> str | None:
    return None if number is None else str(number)
