"""The tuning report against sorted lists and exact sums, through the real projector."""

import csv
import io
import json
import math
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tests.tuning_events import END, FIRST, HOUR, START, load, project, sample, us
from tuning import as_html, tuning_report
from tuning.charts import ticks
from tuning.commands import COMMANDS
from tuning.frames import lines_frame, points_frame
from tuning.line import COLUMNS, METRICS, Line
from warehouse import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "usage.duckdb", "usage")
    yield opened
    opened.close()


def _is_poor(sample: dict[str, Any]) -> bool:
    all_packets = sample["packets_lost"] + sample["packets_received"]
    return bool(
        sample["rtt_ms"] > 500
        or sample["jitter_ms"] > 30
        or sample["packets_lost"] * 10 > all_packets
    )


def _groups(samples: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    found = defaultdict(list)
    for each in samples:
        region = each["region"]
        found["all", "", "all"].append(each)
        found["region", region, region].append(each)
        found["server", region, each["server_id"]].append(each)
        found["release", region, each["server_version"]].append(each)
        day = FIRST + timedelta(microseconds=each["sampled_at"] - us(FIRST))
        found["period", region, f"{day:%Y-%m-%d}"].append(each)
        for name, column in (("version", "server_version"), ("client",) * 2, ("network",) * 2):
            found[name, "", each[column]].append(each)
    return found


def _value(sample: dict[str, Any], metric: str) -> float | None:
    if metric == "loss_ratio":
        packets = sample["packets_lost"] + sample["packets_received"]
        return sample["packets_lost"] / packets if packets else None
    if metric == "freeze_ratio":
        return float(sample["frozen_ms"] / (sample["interval_s"] * 1000))
    found: float | None = sample[metric]
    return found


def _assert_quantiles(line: Line, samples: list[dict[str, Any]]) -> None:
    for metric in METRICS:
        values = sorted(value for each in samples if (value := _value(each, metric)) is not None)
        for percent in (50, 95, 99):
            true = values[-(-percent * len(values) // 100) - 1]
            told = getattr(getattr(line, metric), f"p{percent}")
            assert abs(told - true) <= 0.0101 * true, (line.name, metric, percent)


@pytest.mark.parametrize("seed", [20261124, 7])
def test_quantiles_are_within_one_percent_and_sums_exact(store: Store, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    samples = [sample(rng, n) for n in range(1, 3001)]
    project(store, "meetings.quality", samples)
    report = tuning_report(store, date(2026, 10, 2), END)
    kept = [each for each in samples if each["sampled_at"] >= us(FIRST) + 24 * 3_600_000_000]
    groups = _groups(kept)
    assert {(at.dimension, at.region, at.name) for at in report.lines} == set(groups)
    for line in report.lines:
        own = groups[line.dimension, line.region, line.name]
        _assert_quantiles(line, own)
        lost, received = (sum(at[f"packets_{name}"] for at in own) for name in ("lost", "received"))
        assert (line.samples, line.poor) == (len(own), sum(map(_is_poor, own)))
        assert line.poor_share == sum(map(_is_poor, own)) / len(own)
        assert line.loss_share == lost / (lost + received)
        assert line.freeze_share == sum(at["frozen_ms"] for at in own) / (10_000 * len(own))
    assert sum(point.samples for point in report.points) == len(kept)
    for point in report.points:
        start = us(point.moment.replace(tzinfo=UTC))
        rtts = [
            at["rtt_ms"]
            for at in kept
            if at["region"] == point.region and start <= at["sampled_at"] < start + 3_600_000_000
        ]
        true = sorted(rtts)[math.ceil(0.95 * len(rtts)) - 1]
        assert point.rtt_ms_p95 is not None
        assert abs(point.rtt_ms_p95 - true) <= 0.0101 * true


def test_a_server_unlike_its_region_is_found_and_the_others_are_not(store: Store) -> None:
    rng = random.Random(20261124)
    project(store, "meetings.quality", [sample(rng, n) for n in range(1, 3001)])
    report = tuning_report(store, START, END)
    assert {at.key for at in report.outliers} == {("server", "eu", "fra-3")}
    (rtt,) = [at for at in report.outliers if at.metric == "rtt_ms"]
    assert 2.5 < rtt.value / rtt.rest < 3.5
    assert [at.subject for at in report.actions if at.dimension == "server"] == ["fra-3 in eu"]


def _ill(
    samples: list[dict[str, Any]], ill: Callable[[dict[str, Any]], bool], **changes: Any
) -> None:
    """From calls that are all well to some that are not."""
    for each in samples:
        each |= {"rtt_ms": 40.0 + each["sequence"] % 50, "jitter_ms": 4.0, "packets_lost": 0}
        each |= {"packets_received": 1000, "join_ms": 500}
        if ill(each):
            each.update(changes)


def _advice(store: Store, start: date, end: date) -> list[tuple[str, str]]:
    return [(at.subject, at.what) for at in tuning_report(store, start, end).actions]


def test_a_worse_version_is_told_once_and_not_of_its_servers_and_regions(store: Store) -> None:
    """fra-1 and iad-1 run 1.5 throughout, fra-2 half the time, the others never."""
    rng = random.Random(5)
    samples = [sample(rng, n) for n in range(1, 6001)]
    for each in samples:
        new = each["server_id"] in ("fra-1", "iad-1")
        new |= each["server_id"] == "fra-2" and each["sampled_at"] > us(FIRST + 36 * HOUR)
        each["server_version"] = "1.5" if new else "1.4"
    _ill(samples, lambda at: at["server_version"] == "1.5", jitter_ms=60.0)
    project(store, "meetings.quality", samples)
    report = tuning_report(store, START, END)
    assert {at.key for at in report.outliers if at.dimension == "release"} == {
        ("release", "eu", "1.5"), ("release", "us", "1.5"),
    }  # fmt: skip
    told = [at for at in report.actions if at.dimension in ("version", "region")]
    assert [(at.subject, at.what) for at in told] == [("version 1.5", "Roll it back")]
    assert "on 3 servers, first seen 2026-10-01 00:00; eu: 100.0% of samples" in told[0].evidence
    assert not {at.name for at in report.actions} & {"fra-1", "iad-1"}


def test_one_bad_server_is_not_blamed_on_the_version_that_others_run_well(store: Store) -> None:
    rng = random.Random(6)
    samples = [sample(rng, n) for n in range(1, 6001)]
    for each in samples:
        each["region"] = "eu"
        each["server_version"] = "1.5" if each["server_id"] in ("fra-1", "fra-2") else "1.4"
    since = us(FIRST + 24 * HOUR)
    _ill(samples, lambda at: at["server_id"] == "fra-2" and at["sampled_at"] >= since, rtt_ms=900.0)
    project(store, "meetings.quality", samples)
    report = tuning_report(store, START, END)
    told = [at for at in report.actions if at.dimension != "period"]
    assert [at.subject for at in told] == ["fra-2 in eu"]
    assert "poor since 2026-10-02" in told[0].evidence


def test_a_week_that_got_worse_is_told_with_its_first_day(store: Store) -> None:
    rng = random.Random(7)
    samples = [sample(rng, n) for n in range(1, 6001)]
    for n, each in enumerate(samples):
        each["sampled_at"] = us(FIRST) + n * 31 * 24 * 3_600_000_000 // 6000
    late = us(datetime(2026, 10, 18, tzinfo=UTC))
    _ill(samples, lambda at: at["region"] == "us" and at["sampled_at"] >= late, rtt_ms=400.0)
    project(store, "meetings.quality", samples)
    report = tuning_report(store, START, date(2026, 11, 1))
    weeks = [line.name for line in report.of("period") if line.region == "us"]
    assert weeks == ["2026-10-01", "2026-10-04", "2026-10-11", "2026-10-18", "2026-10-25"]
    assert sum(line.samples for line in report.of("period")) == len(samples)
    (told,) = report.actions
    assert told.key == ("period", "us", "2026-10-18")
    assert told.subject == "us"
    assert "2026-10-18" in told.what
    (found,) = [at for at in report.outliers if at.key == told.key]
    before = sorted(
        each["rtt_ms"] for each in samples if each["region"] == "us" and each["sampled_at"] < late
    )
    true = before[math.ceil(0.95 * len(before)) - 1]
    assert (found.metric, abs(found.rest - true) <= 0.0101 * true) == ("rtt_ms", True)


def test_whom_it_hits_is_told_where_it_hurts(store: Store) -> None:
    rng = random.Random(8)
    samples = [sample(rng, n) for n in range(1, 3001)]
    _ill(samples, lambda at: at["network"] == "cellular" and at["sequence"] % 8 == 0, rtt_ms=900.0)
    project(store, "meetings.quality", samples)
    told = [subject for subject, _ in _advice(store, START, END)]
    assert "network cellular" in told
    assert "network wifi" not in told
    assert not [subject for subject in told if subject.startswith("client")]


def test_peaks_stand_against_the_capacity_of_their_hour(store: Store) -> None:
    loads = [
        load(1, "fra-1", FIRST, 40, 100),
        load(2, "fra-1", FIRST + HOUR, 60, 200),
        load(3, "fra-1", FIRST + 2 * HOUR, 45, 50),
        load(4, "fra-2", FIRST, 30, 100),
        load(5, "fra-2", FIRST + 80 * HOUR, 99, 100),
        load(6, "iad-1", FIRST, 5, 0),
    ]
    project(store, "servers.load", loads)
    report = tuning_report(store, START, END)
    found = {
        (at.dimension, at.name): (at.peak, at.capacity, at.load, at.peak_at) for at in report.lines
    }
    first = datetime(2026, 10, 1)  # noqa: DTZ001 - the store's times are naive UTC
    assert found["server", "fra-1"] == (60, 200, 0.9, first + HOUR)
    assert found["server", "fra-2"] == (30, 100, 0.3, first)
    assert found["server", "iad-1"] == (5, 0, None, first)
    assert found["region", "eu"] == (70, 200, 0.9, first)
    assert [at.key for at in report.actions] == [("server", "eu", "fra-1")]
    assert "fra-1" in as_html(report)


def test_an_empty_range_is_an_empty_report(store: Store) -> None:
    report = tuning_report(store, START, END)
    assert (report.lines, report.points, report.outliers, report.actions) == ((), (), (), ())
    assert "Nothing was measured" in as_html(report)
    assert list(lines_frame(report).columns) == list(COLUMNS)
    assert points_frame(report).empty


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_names_are_inert_in_html(store: Store) -> None:
    evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
    rng = random.Random(3)
    project(store, "meetings.quality", [sample(rng, n) for n in range(1, 2001)])
    project(store, "servers.load", [load(1, "fra-3", FIRST, 99, 100)])
    columns = ("region", "server_id", "server_version", "client", "network")
    for column in columns:
        store.execute(f"UPDATE quality_hourly SET {column} = {column} || ?", [evil])
    store.execute("UPDATE server_hourly SET region = region || $1, server_id = server_id || $1",
                  [evil])  # fmt: skip
    report = tuning_report(store, START, END)
    assert report.outliers
    page = as_html(report)
    parsed = _Tags()
    parsed.feed(page)
    assert not parsed.tags & {"script", "img", "iframe", "object", "link"}
    assert not [name for name in parsed.attributes if name.startswith("on")]
    assert "fra-3" + evil in parsed.text
    assert not re.search(r"(src|href)\s*=|url\(|@import", page.replace("src=x onerror", ""))


def test_the_command_writes_a_table_json_csv_and_html(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(11)
    project(store, "meetings.quality", [sample(rng, n) for n in range(1, 1001)])
    store.close()
    (command,) = COMMANDS
    assert isinstance(command, click.Group)
    told = ["report", "--home", str(tmp_path), "--from", "2026-10-01", "--to", "2026-10-04"]
    run = CliRunner().invoke
    page = tmp_path / "tuning.html"
    table = run(command, [*told, "--html", str(page)])
    assert table.exit_code == 0, table.output
    assert "fra-3" in table.stdout
    assert page.read_text("utf-8").startswith("<!doctype html>")
    data = json.loads(run(command, [*told, "--format", "json"]).stdout)
    assert list(data) == ["from", "to", "lines", "series", "outliers", "actions"]
    assert isinstance(data["lines"][0]["rtt_ms_p95"], float)
    rows = list(csv.DictReader(io.StringIO(run(command, [*told, "--format", "csv"]).stdout)))
    assert [row["name"] for row in rows] == [line["name"] for line in data["lines"]]
    assert float(rows[0]["rtt_ms_p95"]) == data["lines"][0]["rtt_ms_p95"]
    backwards = [*told[:4], "2026-10-04", "--to", "2026-10-04"]
    assert run(command, backwards).exit_code == 2


@pytest.mark.parametrize("most", [0, 5e-324, 0.003, 0.7, 1, 4, 7.9, 99.9, 100, 12345.6, 1e308])
def test_an_axis_has_few_round_values_and_reaches_the_greatest(most: float) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most * 0.999
    assert 2 <= len(found) <= 6
