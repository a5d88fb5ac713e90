"""The whole line against an independent recount of the events, to the microsecond and the cent.

Simulated and drawn events, duplicated, shuffled and split at random, through the journal and
through Kafka with both clients; then usage, what is unbilled, every document, its evidence and
the positions.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from kafka import KafkaProducer

from cli import main
from consumers import Projector, broken_invariants
from edge import Refused
from eventlog import JournalSource, KafkaSettings, LogSource, Slice
from eventlog.kafka_open import Library, open_kafka
from tests.oracle_month import MonthRecount, Sums
from tests.oracle_text import text
from tests.scenario import OCTOBER
from tests.world import NOW_US, World, check_store, produce
from warehouse import open_store

REASONS = {"no_account", "no_subscription", "no_charge", "no_price", "conflict"}


def test_the_scenario_holds_every_case(world: World) -> None:
    october = world.months[OCTOBER]
    assert {reason for _, reason in october.unbilled} == REASONS
    codes = {"PLAN_UNKNOWN", "PLAN_AMBIGUOUS", "CURRENCY_DIFFERS"}
    assert {code for code, _ in october.faults} == codes
    assert october.conflicts == {"a0012"}
    assert {document["currency"] for document in october.documents.values()} == {
        "EUR", "JPY", "KWD",
    }  # fmt: skip
    assert sum(map(len, october.billed.values())) > 50
    assert october.free


def test_through_the_journal_equals_the_recount(
    world: World, rng: random.Random, home: Path
) -> None:
    project(home, JournalSource(world.journal), rng)
    wanted = Counter((topic, source) for topic, source, _ in world.messages)
    check(home, world, {place: count + 1 for place, count in wanted.items()})


@pytest.mark.drawn(1)
@pytest.mark.parametrize("library", ["kafka-python", "librdkafka"])
def test_through_kafka_equals_the_recount(
    world: World, rng: random.Random, home: Path, kafka: KafkaSettings, library: Library
) -> None:
    told = world.messages + rng.sample(world.messages, len(world.messages) // 4)
    rng.shuffle(told)
    cut = rng.randrange(len(told))
    sent: Counter[tuple[str, str]] = Counter()
    with closing(KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)) as producer:
        for part in (told[:cut], told[cut:]):
            sent += produce(producer, part)
            project(home, open_kafka(kafka, library=library), rng)
    check(home, world, sent)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


class Chopped:
    """A log whose every batch is of a size of its own."""

    def __init__(self, log: LogSource, rng: random.Random) -> None:
        self._log, self._rng = log, rng

    def poll(self, _: int, timeout_s: float) -> list[Slice]:
        return self._log.poll(self._rng.randint(1, 900), timeout_s)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def project(home: Path, log: LogSource, rng: random.Random) -> None:
    """Up to the log's present end, in batches of random size."""
    with open_store(home / "usage.duckdb", "usage").closing() as store:
        Projector(store, lambda: NOW_US).run_once(Chopped(log, rng))
        log.close()
        assert broken_invariants(store) == []


def check(home: Path, world: World, positions: Mapping[tuple[str, str], int]) -> None:
    """What the home says of October and November, against the recount."""
    check_store(home, world.scenario, world.messages, positions)
    for number, book in enumerate(world.scenario.books):
        (home / f"{number}.toml").write_text(book)
        ask(home, "price-book", "load", str(home / f"{number}.toml"))
    (home / "accounts.csv").write_text(world.scenario.accounts)
    ask(home, "account", "import", str(home / "accounts.csv"))
    first = "a0004"  # on its own before the others, so that its number is the first
    for day, month in world.months.items():
        shown = ask(home, "usage", "--month", f"{day:%Y-%m}")
        assert _sums(shown) == {row: _told(sums) for row, sums in month.usage.items()}
        shown = ask(home, "usage", "--month", f"{day:%Y-%m}", "--unbilled")
        wanted = {(*row, reason): _told(sums) for (row, reason), sums in month.unbilled.items()}
        assert _sums(shown, "reason") == wanted
    issued: dict[str, str] = {}
    for day, month in world.months.items():
        run = ("invoice", "run", "--month", f"{day:%Y-%m}", "--finalize")
        ask(home, *run, "--account", first)
        faults: set[tuple[str, str]] = set()
        documents = ask(home, *run, faults=faults)
        assert faults == month.faults | month.left_open
        check_documents(month, documents, first, issued)
        check_evidence(home, month, documents)
        assert ask(home, *run, faults=set()) == documents, "running again changed something"


def check_documents(
    month: MonthRecount, documents: list[dict[str, Any]], first: str, issued: dict[str, str]
) -> None:
    """Every field that billing computes, and the numbers: gapless in each series, in the order of
    closing. `issued` are the accounts by the numbers of before, and gets these.
    """
    assert [one["account_id"] for one in documents] == sorted(month.documents)
    open_ones = month.conflicts | month.too_soon
    closing = sorted(month.documents, key=lambda account: (account != first, account))
    latest = {account: number for number, account in issued.items()}
    for account in closing:
        (found,) = [one for one in documents if one["account_id"] == account]
        wanted = month.documents[account]
        amounts = [Fraction(line["amount"]) for line in wanted["lines"]]
        state = "draft" if account in open_ones else "final" if any(amounts) else "nil"
        series = "CN" if wanted["kind"] == "credit_note" else "HM"
        count = sum(number.startswith(series) for number in issued)
        number = f"{series}-2026-{count + 1:06}" if state == "final" else None
        if number:
            issued[number] = account
        # Two months: a credit note can only give back what was charged in the first.
        corrects = latest[account] if number and series == "CN" else None
        assert (found["status"], found["number"], found["corrects"]) == (state, number, corrects)
        assert len(found["lines"]) == len(wanted["lines"])
        for line, told in zip(found["lines"], wanted["lines"], strict=True):
            assert shown_line(line, told) == told
        assert {name: found[name] for name in wanted if name != "lines"} == {
            name: value for name, value in wanted.items() if name != "lines"
        }


def shown_line(line: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What the oracle tells of a line: all but numbers that depend on the order of closing."""
    found = {name: line[name] for name in told}
    if found["origin"]:
        assert found["origin"].pop("number").startswith("HM-")
    return found


def check_evidence(home: Path, month: MonthRecount, documents: list[dict[str, Any]]) -> None:
    """Which records each line rated; and usage = billed + unbilled + free: nothing vanishes."""
    rated: dict[str, list[str]] = {}
    for file in (home / "evidence").iterdir():
        for row in pq.read_table(file, columns=["invoice", "lines", "record_id"]).to_pylist():
            for line in row["lines"]:
                on_line = rated.setdefault(f"{row['invoice']}.{line:04}", [])
                on_line.append(row["record_id"].replace("-", ""))
    for document in documents:
        if document["status"] == "draft":
            continue
        lines = [line["id"] for line in document["lines"] if line["kind"] == "usage"]
        assert {id: sorted(rated.get(id, [])) for id in lines} == {
            id: month.billed[id] for id in lines
        }
        account = document["account_id"]
        billed = {record for id in lines for record in rated.get(id, [])}
        ours = month.rated.get(account, set())
        assert ours <= billed, "a record that a charge takes is on no line"
        unbilled = sum(
            sums.records for (row, _), sums in month.unbilled.items() if row[0] == account
        )
        counted = sum(sums.records for row, sums in month.usage.items() if row[0] == account)
        assert counted == len(ours) + unbilled + month.free[account] + month.idle[account]


def ask(home: Path, *arguments: str, faults: set[tuple[str, str]] | None = None) -> Any:
    """What the command prints as JSON. Fails at a refusal, unless it is collected in `faults`."""
    environ = {"HOMEMEETING_NOW": "2026-12-05T00:00:00Z"}
    command = [*arguments, "--home", str(home), "--format", "json"]
    done = CliRunner().invoke(main, command, env=environ)
    if isinstance(done.exception, Refused) and faults is not None:
        faults |= {(fault.code, fault.place) for fault in done.exception.faults}
    elif done.exception:
        raise done.exception
    return json.loads(done.stdout) if done.stdout else None


def _sums(rows: list[dict[str, Any]], *more: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    names = ("account_id", "meter", "variant", *more)
    found = {
        tuple(row[name] for name in names): (row["records"], row["seconds"], row["quantity"])
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def _told(sums: Sums) -> tuple[int, str, str]:
    return sums.records, text(Fraction(sums.duration_us, 1_000_000)), str(sums.quantity)
