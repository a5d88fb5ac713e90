"""The command `simulate`: a seeded workload into the journal."""

from datetime import UTC, datetime
from typing import Final

import click

from edge.command import common, progress, say, settings
from producers.simulator import Workload, simulate

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What the rules of an event allow, less a day for what outlasts the end.
_FIRST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2199, 12, 31, tzinfo=UTC)


class _Day(click.ParamType[int]):
    """A date as UTC days since 1970."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        try:
            date = datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.fail(f"{value!r} is not a date as 2026-10-01", param, ctx)
        if not _FIRST <= date <= _LAST:
            self.fail(f"{value} is not from {_FIRST:%Y-%m-%d} to {_LAST:%Y-%m-%d}", param, ctx)
        return (date - _EPOCH).days


@click.command("simulate")
@click.option("--accounts", type=click.IntRange(1, 1_000_000), required=True, help="How many.")
@click.option("--from", "start", type=_Day(), required=True, help="First UTC day.")
@click.option("--to", "end", type=_Day(), required=True, help="The UTC day after the last.")
@click.option("--seed", type=int, required=True, help="One seed gives the same facts every time.")
@common
def simulate_command(accounts: int, start: int, end: int, seed: int) -> None:
    """Simulate meetings into the journal.

    The accounts are a0001, a0002, …

    \b
    Example: homemeeting simulate --accounts 200 --from 2026-10-01 --to 2026-11-01 --seed 1
    Exit codes: 0 done; 1 refused, see stderr; 2 wrong usage.
    """
    if start >= end:
        raise click.BadParameter("must be after --from", param_hint="--to")
    workload = Workload(accounts, start, end, seed)
    days = end - start
    with progress(f"Simulating {days} days", days) as advance:
        events = simulate(settings().journal, workload, advance)
    say(f"{events:,} events emitted")
