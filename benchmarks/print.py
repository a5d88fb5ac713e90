"""Documents printed per second of processor time, what they weigh and the memory they need.

Run: `python benchmarks/print.py [DOCUMENTS]` (300 of each kind). Each kind is a process of its own,
and no two documents are equal, since typst keeps what it has laid out. Each is compared with the
least that typst does for any page, the number alone on it, so that the ratio says the same on
another machine. Then the whole papers of DOCUMENTS, PDF with Factur-X and UBL, are written by one
process and by those of all cores: by the wall clock, with the ratio of both.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import typst

from billing.documents.papers import papers
from billing.documents.pdf import render_pdf
from billing.printing import print_papers
from edge import Settings

_PERIOD = {"start": "2026-10-01T00:00:00+02:00", "end": "2026-11-01T00:00:00+01:00"}
_SELLER = {
    "name": "HomeMeeting GmbH",
    "street": "Lindenallee 4",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "vat_number": "DE123456789",
}
_BUYER = {**_SELLER, "name": "Acme", "language": "en", "vat_number": None}
_IBAN = {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
_TAX = {"category": "S", "rate_percent": "19", "country": "DE", "reason": None}


def _line(at: int) -> dict[str, Any]:
    """By turns a fee and usage with an allowance and two tiers."""
    line = {
        **{"id": str(at), "code": "base", "variant": None, "period": _PERIOD, "unit": None},
        **{"packages": None, "discount": None, "bound": None, "origin": None, "credits": None},
        **{
            "concession": None,
            "proration": None,
            "tax": {"category": "S", "rate_percent": "19"},
            "amount": "49.00",
        },
        **{"kind": "fee", "description": f"Plan {at}", "quantity": "1", "included": None},
        **{"tiers": [], "basis": {"amount": "49"}},
    }
    if at % 2 == 0:
        return line
    edges = (("10000", "0.004", "40"), (None, "0.003", "7.035"))
    tiers = [
        {"up_to": edge, "quantity": "2345", "unit_price": price, "flat": "0", "amount": amount}
        for edge, price, amount in edges
    ]
    basis = {"model": "graduated", "included": "1000", "included_per": "plan"}
    usage = {"kind": "usage", "description": "Participant minutes", "quantity": "13345"}
    usage |= {"amount": "47.04"}
    return {**line, **usage, "unit": "minute", "included": "1000", "tiers": tiers, "basis": basis}


def _document(number: int, lines: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        **{"id": "d1", "kind": "invoice", "status": "final", "number": f"HM-2026-{number:06}"},
        **{"issued_on": "2026-11-02", "due_on": "2026-11-16", "corrects": None},
        **{"corrects_issued_on": None, "credit": None, "reason": None, "apart": False},
        **{"account_id": "acme", "currency": "EUR", "plan": "business"},
        **{"period": _PERIOD, "seller": _SELLER, "buyer": _BUYER, "subtotal": "96.04"},
        **{"taxes": [], "tax": None, "tax_in": None, "total": "96.04", "prepaid": None},
        **{"due": "96.04", "lines": [_line(at) for at in range(lines)]},
        **changes,
    }


def _taxed(number: int, **changes: Any) -> dict[str, Any]:
    tax = {**_TAX, "taxable": "96.04", "tax": "18.25"}
    sums = {"taxes": [tax], "tax": "18.25", "total": "114.29", "due": "114.29"}
    return _document(number, **sums, seller={**_SELLER, **_IBAN}, **changes)


def _row(at: int) -> dict[str, Any]:
    return {
        **{"line": 2, "date": "2026-10-05T10:00:00+02:00", "meeting": f"m-{at:06}", "records": 1},
        **{"meter": "participant", "variant": None, "time": "0:20:00", "quantity": "20"},
        **{"unit": "minute", "note": ""},
    }


@cache
def _bare() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False)
    return typst.Compiler(b"", font_paths=fonts)


def _least(number: int) -> bytes:
    source = f"HM-2026-{number:06}".encode()
    made = _bare().compile(source, format="pdf", pdf_standards=["a-3b"])
    assert isinstance(made, bytes)
    return made


KINDS: dict[str, Callable[[int], bytes]] = {
    "typst's least": _least,
    "2 lines": lambda n: render_pdf(_document(n)),
    "2 lines, tax and code": lambda n: render_pdf(_taxed(n)),
    "2 lines, German": lambda n: render_pdf(_taxed(n, buyer={**_BUYER, "language": "de"})),
    "2 lines, Japanese": lambda n: render_pdf(_taxed(n, buyer={**_BUYER, "language": "ja"})),
    "20 lines": lambda n: render_pdf(_document(n, 20)),
    "200 lines": lambda n: render_pdf(_document(n, 200)),
    "2 lines, with Factur-X": lambda n: papers(_taxed(n)).pdf,
    "annex of 1,000 rows": lambda n: render_pdf(_document(n), [_row(at) for at in range(1000)]),
}
_LARGE = {"200 lines": 10, "annex of 1,000 rows": 10}  # so many times fewer of them


def _peak() -> int:
    """MiB of resident memory at most (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _measure(kind: str, documents: int) -> dict[str, float]:
    """The least of three parts: what else the machine does only ever adds to processor time."""
    make, numbers = KINDS[kind], count(1)
    size = len(make(0))  # and fonts are read
    begun, seconds = _peak(), float("inf")
    part = max(documents // _LARGE.get(kind, 1) // 3, 3)
    for _ in range(3):
        start = time.process_time()
        for _ in range(part):
            make(next(numbers))
        seconds = min(seconds, (time.process_time() - start) / part)
    return {"seconds": seconds, "bytes": size, "peak": _peak(), "grown": _peak() - begun}


def main(documents: int) -> None:
    least = None
    head = ("", "per CPU second", "of the least", "KB", "peak MiB", f"grown over {documents:,}")
    print("{:<24}{:>16}{:>14}{:>8}{:>10}{:>18}".format(*head))
    for kind in KINDS:
        words = [sys.executable, __file__, kind, str(documents)]
        told = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)
        least = least or told["seconds"]
        print(
            f"{kind:<24}{1 / told['seconds']:>16,.1f}{told['seconds'] / least:>14,.1f}"
            f"{told['bytes'] / 1000:>8,.0f}{told['peak']:>10,}{told['grown']:>18,}"
        )
    _print_on_all_cores(documents)


def _print_on_all_cores(documents: int) -> None:
    seconds = []
    for at_once in (1, documents):  # so few are never given to several processes
        with tempfile.TemporaryDirectory() as folder:
            tasks = [(_taxed(number), None) for number in range(documents)]
            begin = time.perf_counter()
            print_papers(Settings(Path(folder), None, "clerk"), tasks, at_once)
            seconds.append(time.perf_counter() - begin)
    one, all_ = (documents / took for took in seconds)
    print(
        f"papers on disk, by the wall: {one:,.1f} a second by one process, {all_:,.1f} by those of "
        f"{os.cpu_count()} cores ({all_ / one:.2f} times)"
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
