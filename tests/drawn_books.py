"""Price books by chance, as TOML text: every model, measure and key, no two charges on one record
unless one says so.

Chance is a `random.Random`, or hypothesis in its place: what comes first in a choice is the
simplest. Owns no expectation of what a book makes of usage.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
MEASURES = ("duration", "count", "quantity", "maximum", "unique", "peak")
MODELS = ("per_unit", "graduated", "volume", "package", "percentage", "flat")
COUNTED = ("count", "unique", "peak")  # neither rounded nor of a unit of their own
PRICES = (
    "1", "0.005", "0.5", "0.0005", "0.01", "0.015", "0.025", "2.675", "0.12345678", "1.000001",
)  # fmt: skip


class Chance(Protocol):
    def choice(self, options: Sequence[T], /) -> T: ...

    def randint(self, least: int, most: int, /) -> int: ...


def draw_book(
    chance: Chance,
    head: Mapping[str, str],
    plans: Sequence[str],
    meters: Mapping[str, Sequence[str]],
) -> str:
    """`head`: book, currency, effective_from. `meters`: what may be charged, each with variants."""
    rounding = chance.choice(["", 'line_rounding = "half_up"\n', 'line_rounding = "half_even"\n'])
    text = f'book = "{head["book"]}"\ncurrency = "{head["currency"]}"\n'
    text += f"effective_from = {head['effective_from']}\n{rounding}"
    return text + "".join(_plan(chance, code, meters) for code in plans)


def _plan(chance: Chance, code: str, meters: Mapping[str, Sequence[str]]) -> str:
    free, tables = [], []
    for meter, variants in meters.items():
        kind = chance.randint(0, 9)
        if kind == 9:
            free.append(meter)
        elif kind > 0:  # else nothing takes it: no_charge
            tables += _charges(chance, meter, list(variants))
    if chance.choice([False, False, True]):
        tables.append(_flat_fee(chance))
    text = f'[[plan]]\ncode = "{code}"\nname = "P"\nfree = [{quoted(free)}]\n'
    if chance.choice([False, False, True]):
        words = chance.choice(["", 'description = "At least"\n'])
        text += f"[plan.commitment]\namount = {_money(chance, 900)}\n{words}"
    text += "".join(_fee(chance, f"f{n}") for n in range(chance.randint(0, 3)))
    # The codes tell the order of the lines: no other thing may.
    return text + "".join(
        f'[[plan.charge]]\ncode = "c{n}"\ndescription = "C{n}"\n{table}'
        for n, table in enumerate(tables)
    )


def _fee(chance: Chance, code: str) -> str:
    timing = chance.choice(["arrears", "advance", "advance"])
    lines = [f'code = "{code}"', 'description = "D"', f"amount = {_money(chance, 99, 10)}"]
    lines += ['interval = "month"', f'timing = "{timing}"']
    lines += chance.choice([[], ['per = "seat"'], ['per = "plan"']])
    lines += chance.choice([[], [], ["prorate = false"], ["prorate = true"]])
    return "[[plan.fee]]\n" + "\n".join(lines) + "\n"


def _flat_fee(chance: Chance) -> str:
    """A flat charge that is owed whatever is used."""
    lines = ['model = "flat"', f"amount = {_money(chance, 99)}"]
    return "\n".join([*lines, *_discount(chance)]) + "\n"


def _charges(chance: Chance, meter: str, variants: list[str]) -> list[str]:
    """Charges on one meter, apart from each other; at times one more that is `also` taken."""
    layouts = ["all"]
    if len(variants) > 2:
        layouts += ["parted", "named", "prices", "prices"]
    layout = chance.choice(layouts)
    one, *rest = [*variants, ""]
    if layout == "all":
        found = [_charge(chance, meter, chance.choice(["", 'variant = "*"']))]
    elif layout == "prices":
        found = [_priced(chance, meter, variants)]
    else:
        listed = f"variant = [{quoted(rest[:-2])}]"
        measure = chance.choice(MEASURES)
        measured = measure if layout == "parted" else None
        found = [
            _charge(chance, meter, f'variant = "{one}"', measured),
            _charge(chance, meter, listed, measured),
        ]
        if layout == "parted":
            found.append(_charge(chance, meter, 'variant = "*"', measure))
    if chance.choice([False, False, True]):
        named = f'variant = "{chance.choice(variants)}"' if variants else ""
        found.append(_charge(chance, meter, chance.choice(["", named])) + "also = true\n")
    return found


def _priced(chance: Chance, meter: str, variants: list[str]) -> str:
    named = [f"{_key(name)} = {_price(chance)}" for name in variants[:2]]
    rest = chance.choice([[], [f'"*" = {_price(chance)}']])
    measure = chance.choice(MEASURES)
    lines = ['model = "per_unit"', f"prices = {{ {', '.join([*named, *rest])} }}"]
    return "\n".join([*_measured(chance, meter, measure), *lines, *_discount(chance)]) + "\n"


def _key(name: str) -> str:
    return f'"{name}"'


def _charge(chance: Chance, meter: str, variant: str, measure: str | None = None) -> str:
    model = chance.choice(MODELS)
    if model == "percentage" and measure not in (None, "quantity"):
        model = "graduated"
    if model == "percentage":
        measure = "quantity"
    measure = measure or chance.choice(MEASURES)
    lines = [*_measured(chance, meter, measure), *([variant] if variant else [])]
    if model == "percentage" and chance.choice([False, True]):
        lines = [line for line in lines if not line.startswith("unit")]  # minor units then
    lines += [f'model = "{model}"', *_prices(chance, model), *_allowance(chance)]
    lines += _discount(chance)
    if model != "flat":
        lines += [*_bounds(chance), *chance.choice([[], [], ["prorate = false"]])]
    return "\n".join(lines) + "\n"


def _measured(chance: Chance, meter: str, measure: str) -> list[str]:
    lines = [f'meter = "{meter}"', f'measure = "{measure}"']
    if measure == "duration":
        lines.append(f'unit = "{chance.choice(["minute", "second", "hour"])}"')
    elif measure in ("quantity", "maximum"):
        lines += ['unit = "GB"', f"unit_size = {chance.choice([1, 1000, 7, 1_000_000])}"]
    if measure not in COUNTED:
        lines += _rounding(chance, seconds=measure == "duration")
    return lines


def _rounding(chance: Chance, *, seconds: bool) -> list[str]:
    mode = chance.choice(["", "up", "nearest", "down", "none"])
    if not mode:
        return []
    scope = chance.choice(["record", "participant", "period"])
    quantum = chance.choice(["60", "1", "7"] if seconds else ["1", "0.3", "12.5"])
    minimum = chance.choice(["0", "60" if seconds else "0.7"])
    keys = f'scope = "{scope}", quantum = {quantum}, mode = "{mode}", minimum = {minimum}'
    return [f"rounding = {{ {keys} }}"]


def _allowance(chance: Chance) -> list[str]:
    if not chance.choice([False, True]):
        return []
    amount = chance.choice(["1", "2", "10", "0.5", "1.5", "33.333", "1000"])
    return [f"included = {amount}", *chance.choice([[], ['included_per = "seat"']])]


def _prices(chance: Chance, model: str) -> list[str]:
    if model == "per_unit":
        return [f"unit_price = {_price(chance)}"]
    if model == "package":
        rounding = chance.choice([[], ['package_rounding = "down"']])
        size = chance.choice(["10", "1", "0.5", "7"])
        return [f"package_size = {size}", f"package_price = {_price(chance)}", *rounding]
    if model == "percentage":
        fixed = chance.choice([[], ["fixed = 0.25"], ["fixed = 0.005"]])
        return [f"rate_percent = {chance.choice(['1', '2.9', '0.5', '12.5'])}", *fixed]
    if model == "flat":
        return [f"amount = {_money(chance, 99)}"]
    zero = chance.choice([[], ["flat_at_zero = true"]])
    return [f"tiers = [{', '.join(_tiers(chance))}]", *zero]


def _tiers(chance: Chance) -> list[str]:
    edges = sorted({chance.choice([1, 2, 3, 1000]) for _ in range(chance.randint(0, 3))})
    part = chance.choice(["", ".5"])
    ups = [f"up_to = {edge}{part}, " for edge in edges]
    return [
        f"{{ {up}unit_price = {_price(chance)}, flat = {chance.choice(['0', '5', '0.125'])} }}"
        for up in (*ups, "")
    ]


def _discount(chance: Chance) -> list[str]:
    told = chance.choice(["", "", "10", "12.5", "100", "33.3"])
    return [f"discount_percent = {told}"] if told else []


def _bounds(chance: Chance) -> list[str]:
    least, most = chance.choice([("", ""), ("", ""), ("5", ""), ("", "20"), ("1.005", "99.995")])
    lines = [f"minimum = {least}"] if least else []
    return [*lines, *([f"maximum = {most}"] if most else [])]


def _price(chance: Chance) -> str:
    """Often one that makes half a cent."""
    return chance.choice(PRICES)


def _money(chance: Chance, most: int, least: int = 0) -> str:
    return f"{chance.randint(least, most)}.{chance.choice(['00', '5', '005', '99'])}"


def quoted(words: Sequence[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)
