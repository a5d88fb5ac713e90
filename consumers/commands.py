"""The projector's commands: consume, status, quarantine, verify."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import click

from consumers.invariants import verify_usage
from consumers.projector import Projector
from consumers.quarantine import dismiss, open_rows, retry
from consumers.status import STATUS_COPIES, read_status
from edge import Refused, Settings
from edge.command import (
    clock,
    common,
    form,
    left_undone,
    progress,
    reason_text,
    say,
    say_some,
    settings,
    show_json,
    show_rows,
)
from edge.log_options import from_option
from edge.patience import Patience
from edge.private import make_folder
from edge.stopping import Stopping
from eventlog import LogSource, open_log
from schemas import TOPICS
from warehouse import Store, open_store, read_store

_QUARANTINE = (
    *("id", "topic", "partition", "offset", "source", "code", "reason", "state"),
    *("account_id", "started_at", "dismissed_by", "dismissed_at", "dismissal"),
)
_SOURCES = (
    *("source", "topic", "first", "last", "lost", "in_flight", "explained"),
    *("watermark", "state"),
)
_PATIENCE_S = 0.5
# Bytes are many and large: they are read of the one row that is shown.
_ROWS = {"rows": "SELECT * EXCLUDE (payload, batch) FROM quarantine"}
_ROW = {"rows": "SELECT * EXCLUDE (batch) FROM quarantine WHERE id = $row"}


@click.command()
@click.option("--once", is_flag=True, help="Read up to the present end, then exit.")
@from_option
@common
def consume(once: bool, log: str | None) -> None:
    """Project the log into the usage store.

    As a service it waits while Kafka is down.

    \b
    Example: homemeeting consume --once
    Exit codes: 0 done; 1 refused or stopped, see stderr; 2 wrong usage.
    """
    home = settings()
    if not once:
        with Stopping() as stopping:
            _serve(home, log, stopping.asked)
        return
    with _opened(home, log) as source, open_store(home.usage, "usage").closing() as store:
        projector = _projector(home, store)
        with progress("Projecting", projector.backlog(source)) as advance:
            read = projector.run_once(source, progress=advance)
    say(f"{read:,} messages read")


@contextmanager
def _opened(home: Settings, log: str | None) -> Iterator[LogSource]:
    """The log, of which nothing is kept from one opening to the next."""
    with closing(open_log(home, log)) as source:
        make_folder(home.home)
        say_some(source.tails())
        yield source


def _projector(home: Settings, store: Store) -> Projector:
    store.serve()
    return Projector(store, clock(), sample_days=home.sample_days)


def _serve(home: Settings, log: str | None, stopping: Callable[[], bool]) -> None:
    """A service waits where others would be refused: Kafka comes back, and so does the store.

    After Kafka was away all begins anew from the store's positions, which is free meanwhile: what
    had been fetched is worth nothing.
    """
    patience = Patience("Kafka", time.sleep, say)

    def is_asked() -> bool:
        patience.over()
        return stopping()

    while not stopping():
        try:
            with _opened(home, log) as source:
                _follow(home, source, is_asked)
        except Refused as refusal:
            if refusal.code != "KAFKA_UNREACHABLE":
                raise
            patience.wait(refusal.summary, stopping)


def _follow(home: Settings, source: LogSource, stopping: Callable[[], bool]) -> None:
    """Waits for the store: a billing run reads the file for a while."""
    is_told = False
    while not stopping():
        try:
            store = open_store(home.usage, "usage", wait_s=_PATIENCE_S)
        except Refused as refusal:
            if refusal.code != "STORE_BUSY":
                raise
            if not is_told:
                say(f"waiting: {refusal}")
            is_told = True
            continue
        with store.closing():
            _projector(home, store).run(source, stopping)


@click.command("status")
@common
def status_command() -> None:
    """What is unread, lost, in flight or in quarantine.

    Positions and lag of every partition, watermark and state of every source.

    \b
    Example: homemeeting status --format json
    Exit codes: 0 shown, healthy or not; 1 refused; 2 wrong usage.
    """
    home = settings()
    source = open_log(home)
    try:
        ends, tails = source.ends(TOPICS), source.tails()
    finally:
        source.close()
    with read_store(home.usage, "usage", STATUS_COPIES).closing() as store:
        found = read_status(store, ends, tails)
    if form() == "json":
        show_json(found.contract())
        return
    if form() == "table":
        click.echo("\n".join([*found.sentences(), ""]))
    positions = ("log", "topic", "partition", "offset", "end_offset", "lag")
    show_rows(found.positions, positions, "nothing has been read: `homemeeting consume`")
    if form() == "table":
        click.echo()
        sources = [one | {"lost": one["missing"]} for one in found.sources]
        show_rows(sources, _SOURCES, "no source has been heard of")


@click.group()
def quarantine() -> None:
    """What could not be applied: list, show, retry, dismiss.

    \b
    Example: homemeeting quarantine list
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@quarantine.command("list")
@common
def list_command() -> None:
    """Every row, whatever became of it.

    \b
    Example: homemeeting quarantine list --format json
    Exit codes: 0 shown; 1 refused; 2 wrong usage.
    """
    with read_store(settings().usage, "usage", _ROWS).closing() as store:
        rows = store.records("FROM rows ORDER BY id")
        show_rows(rows, _QUARANTINE, "the quarantine is empty")


@quarantine.command("show")
@click.argument("row", type=int)
@common
def show_command(row: int) -> None:
    """One row and its bytes, as JSON.

    \b
    Example: homemeeting quarantine show 1
    Exit codes: 0 shown; 1 there is none; 2 wrong usage.
    """
    with read_store(settings().usage, "usage", _ROW, {"row": row}).closing() as store:
        found = store.records("FROM rows")
    if not found:
        raise Refused("QUARANTINE_NO_ROW", f"there is no quarantine row {row}")
    show_json(found[0] | {"payload": found[0]["payload"].hex()})


@contextmanager
def _own_store() -> Iterator[Store]:
    """The store to write to, which has one writer; where that is another, what to do about it."""
    try:
        opened = open_store(settings().usage, "usage")
    except Refused as refusal:
        if refusal.code != "STORE_BUSY":
            raise
        what = "stop it if it is `homemeeting consume` (SIGTERM loses nothing), give this command"
        raise Refused(refusal.code, f"{refusal.summary}: {what} again, then start it") from refusal
    with opened.closing() as store:
        yield store


@quarantine.command("retry")
@click.argument("row", type=int, required=False)
@common
def retry_command(row: int | None) -> None:
    """Try open rows again: one, or all.

    \b
    Example: homemeeting quarantine retry 1
    Exit codes: 0 all applied; 1 some stay open, each on stderr; 2 wrong usage.
    """
    with _own_store() as store:
        projector = Projector(store, clock(), sample_days=settings().sample_days)
        applied, faults = retry(store, projector, row)
    say(f"{applied} rows applied")
    left_undone("QUARANTINE_LEFT", f"{len(faults)} rows stay open", faults)


@quarantine.command("dismiss")
@click.argument("rows", metavar="[ROW]...", nargs=-1, type=int)
@click.option("--code", help="Every open row with this code, in place of ROW.")
@click.option(
    "--reason", required=True, callback=reason_text, help="Why it will never be applied; kept."
)
@common
def dismiss_command(rows: tuple[int, ...], code: str | None, reason: str) -> None:
    """Give rows up for good: those named, or all with a code.

    Where one that is named is not open, none is dismissed. Who acts is HOMEMEETING_USER, else the
    user of the operating system. Evidence names it.

    \b
    Example: homemeeting quarantine dismiss 1 --reason "test message"
    Exit codes: 0 dismissed; 1 some are not open, nothing done; 2 wrong usage.
    """
    if (code is None) != bool(rows):
        raise click.UsageError("name rows, or a code by --code")
    with _own_store() as store:
        chosen = rows if code is None else open_rows(store, code=code)
        dismiss(store, chosen, reason, settings().user, clock()())
    say(f"{len({*chosen})} rows dismissed")


@click.command()
@common
def verify() -> None:
    """Check the invariants of the usage store.

    \b
    Example: homemeeting verify
    Exit codes: 0 all hold; 1 some are broken, named on stderr; 2 wrong usage.
    """
    faults = verify_usage(settings().usage)
    left_undone("VERIFY", f"{len(faults)} invariants are broken", faults)
    say("every invariant holds")


COMMANDS: tuple[click.Command, ...] = (consume, status_command, quarantine, verify)
