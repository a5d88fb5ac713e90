"""The commands that correct usage: `usage conflicts` and `usage cancel`."""

from typing import Final

import click

from corrections.cancel import cancel, choose, forward, in_journal
from corrections.identities import find_conflicts
from edge.command import clock, common, reason_text, say, settings, show_rows

_IDENTITY = (
    *("record_id", "hash", "started_at", "last_seen", "account_id", "meeting_id"),
    *("participant_id", "meter", "variant"),
)

_EFFECT: Final = (
    "takes effect when projected: `homemeeting consume --once`, unless the service runs"
)


@click.command("conflicts")
@common
def conflicts_command() -> None:
    """The identities of each record that has several.

    Each with a short hash, as `usage cancel` takes it.

    \b
    Example: homemeeting usage conflicts --format json
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    rows = [one.row() for one in find_conflicts(settings().usage)]
    show_rows(rows, _IDENTITY, "no record is in conflict")


@click.command("cancel")
@click.argument("records", metavar="RECORD[:HASH]...", nargs=-1, required=True)
@click.option(
    "--reason", required=True, callback=reason_text, help="Why; the audit trail keeps it."
)
@common
def cancel_command(records: tuple[str, ...], reason: str) -> None:
    """Withdraw usage records for good, with the reason.

    They count for nothing and stay visible. One that was cancelled before stays as it was.

    A record with several identities needs the HASH of one, as `usage conflicts` shows it. Where
    one argument has a fault, nothing is cancelled. Who acts is HOMEMEETING_USER, else the user of
    the operating system.

    \b
    Example: homemeeting usage cancel 6f1c2f0e-8d0b-4a55-9c53-0f2f3d6d9b11:3fa94c --reason "test"
    Exit codes: 0 in the log, or cancelled before; 1 refused, or Kafka did not take it; 2 wrong
    usage.
    """
    home = settings()
    chosen = choose(home.usage, records)
    for one in chosen:
        if one.cancelled:
            say(f"{one} was cancelled already")
    fresh = [one for one in chosen if not one.cancelled]
    waiting = in_journal(home.journal, fresh)
    for one in waiting:
        say(f"{one} was cancelled already, which {_EFFECT}")
    fresh = [one for one in fresh if one not in waiting]
    if not fresh:
        return
    cancel(home, fresh, reason, clock())
    say(f"{len(fresh)} of {len(chosen)} cancelled in the journal")
    if home.bootstrap_servers:
        sent = forward(home)
        say("sent to Kafka" if sent else "the running `homemeeting forward` sends it to Kafka")
    say(_EFFECT)


COMMANDS: tuple[click.Command, ...] = (conflicts_command, cancel_command)
