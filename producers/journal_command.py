"""The journal's command: prune."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from edge import Refused
from edge.command import clock, common, say, say_some, settings, show_rows
from eventlog import KafkaSettings, open_archive
from eventlog.kafka import KafkaTopics
from producers.prune import acknowledged, prunable, prune

_COLUMNS: Final = ("source", "topic", "first", "last", "octets")
_DAY_US: Final = 86_400_000_000


@click.group()
def journal() -> None:
    """The meeting servers' journal: prune.

    \b
    Example: homemeeting journal prune --dry-run
    Exit codes: 0 done; 1 refused, see stderr; 2 wrong usage.
    """


@journal.command("prune")
@click.option("--older-than", "days", type=click.IntRange(0), default=30, help="Days [30].")
@click.option("--dry-run", is_flag=True, help="List what would go, delete nothing.")
@click.option(
    "--archive", type=click.Path(path_type=Path), help="Counts for what Kafka has deleted."
)
@common
def prune_command(days: int, dry_run: bool, archive: Path | None) -> None:
    """Delete segments that Kafka has, all of each.

    Of incarnations that no process holds, last written to so many days ago; the last segment of
    each stays. A topic made anew is filled from what is left alone.

    \b
    Example: homemeeting journal prune --older-than 30 --dry-run
    Exit codes: 0 done, each listed; 1 refused, see stderr; 2 wrong usage.
    """
    home = settings()
    if not home.bootstrap_servers:
        what = "without Kafka the journal is the only log: nothing of it may go"
        raise Refused("PRUNE_NO_KAFKA", f"{what}; set [kafka] bootstrap_servers where there is one")
    kept = open_archive(archive) if archive is not None else None
    kafka = KafkaTopics.connect(KafkaSettings.of(home))
    try:
        sent, remarks = acknowledged(home.journal, kafka, kept)
    finally:
        kafka.close()
    say_some(remarks)
    found = prunable(home.journal, sent, clock()() - days * _DAY_US)
    if not dry_run:
        prune(found)
    show_rows([asdict(one) for one in found], _COLUMNS, "no segment may go")
    octets = sum(one.octets for one in found)
    say(f"{len(found)} segments, {octets:,} octets {'would be' if dry_run else 'are'} deleted")
