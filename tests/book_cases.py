"""The documents in `price_books/`: TOML in, and behind arrows the lines that come out of it."""

from typing import Final

from tests.command_line import ROOT

HEAD: Final = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
"""
_UNMETERED: Final = '[[plan.charge]]\ncode = "c"\ndescription = "C"\n'
_METERED: Final = _UNMETERED + 'meter = "m"\n'
_BEGINNINGS: Final = {
    "unmetered": _UNMETERED,
    "metered": _METERED,
    "counted": _METERED + 'measure = "count"\n',
}
_FOLDER: Final = ROOT / "tests" / "price_books"

Case = tuple[str, list[str]]


def cases(name: str) -> list[Case]:
    """Those of a document in which a rule stands before each."""
    text = (_FOLDER / name).read_text("utf-8")
    return [_case(one) for one in text.partition("----\n")[2].split("----\n")]


def _case(text: str) -> Case:
    lines = text.strip("\n").split("\n")
    faults = [line.removeprefix("-> ") for line in lines if line.startswith("-> ")]
    assert faults, text
    return "\n".join(line for line in lines if not line.startswith("-> ")) + "\n", faults


def _charges(section: str) -> list[Case]:
    cases = []
    for block in section.split("\n\n"):
        if block.strip() and not block.startswith("#"):
            beginning, _, rest = block.strip("\n").partition("\n")
            says, faults = _case(rest)
            cases.append((HEAD + _BEGINNINGS[beginning] + says, faults))
    return cases


_SECTIONS: Final = (_FOLDER / "charge_faults.txt").read_text("utf-8").split("\n# What ")
STRUCTURAL: Final = _charges("# " + _SECTIONS[1])
MEASURED: Final = _charges("# " + _SECTIONS[2])
assert len(STRUCTURAL) > 40 and len(MEASURED) > 5, "the document is parted as its head says"
