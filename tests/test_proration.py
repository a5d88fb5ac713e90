"""What part of a month's amount or allowance falls to a stretch, by hand."""

from datetime import date
from fractions import Fraction

import pytest

from billing import parse_price_book
from billing.period import SeatRun, Stretch
from billing.proration import Share, allowance, fee_runs, share_of
from tests.test_rating import BOOK, COUNT
from tests.test_terms import charge_of

FEE = '[[plan]]\ncode="p"\nname="P"\n[[plan.fee]]\ncode="f"\ndescription="F"\namount=1\n'
# The first 17 days of October: three seats, and from the sixth five.
RUNS = (
    SeatRun(date(2026, 10, 1), date(2026, 10, 6), 3),
    SeatRun(date(2026, 10, 6), date(2026, 10, 18), 5),
)
STRETCH = Stretch("b", "p", date(2026, 10, 1), date(2026, 10, 18), 0, 1, 17, 31, RUNS)


def test_a_share_is_told_unreduced_unless_it_is_whole() -> None:
    assert (Share(2, 4).text, Share(4, 4).text) == ("2/4", None)
    assert Share(2, 4).fraction == Fraction(1, 2)


def test_what_is_not_prorated_is_whole() -> None:
    assert share_of(STRETCH, prorate=True) == Share(17, 31)
    assert share_of(STRETCH, prorate=False) == Share(17, 17)


@pytest.mark.parametrize(("prorate", "of"), [("true", 31), ("false", 17)])
def test_a_fee_by_seat_is_parted_where_seats_change(prorate: str, of: int) -> None:
    def runs(keys: str) -> list[tuple[SeatRun, Share]]:
        book = parse_price_book(BOOK.format("EUR") + FEE + f"prorate={prorate}\n" + keys)
        return list(fee_runs(book.plans[0].fees[0], STRETCH))

    assert runs('per="seat"\n') == [(RUNS[0], Share(5, of)), (RUNS[1], Share(12, of))]
    whole = SeatRun(STRETCH.since, STRETCH.until, 1)
    assert runs('per="plan"\n') == [(whole, Share(17, of))]


@pytest.mark.parametrize(
    ("keys", "free"),
    [
        ("included=10\n", Fraction(6)),  # 170/31, up to a whole one
        ("included=31\n", Fraction(17)),
        ("included=0.5\n", Fraction(1, 2)),  # never more than the whole month's
        ("included=10\nprorate=false\n", Fraction(10)),
        ('included=10\nincluded_per="seat"\n', Fraction(25)),  # 750/31 of 15 and 60 days of seats
        ('included=0.1\nincluded_per="seat"\n', Fraction(1, 2)),  # of five seats
        ('included=10\nincluded_per="seat"\nprorate=false\n', Fraction(45)),  # 750/17
    ],
)
def test_an_allowance_is_by_days_and_seats_up_to_a_whole_unit(keys: str, free: Fraction) -> None:
    assert allowance(charge_of(COUNT + keys), STRETCH) == free
