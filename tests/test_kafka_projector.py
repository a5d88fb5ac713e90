"""From events to the usage store through a real broker, by the command line."""

import json
import uuid
from pathlib import Path

from eventlog import KafkaSettings
from tests.command_line import run
from tests.test_cli import USAGE
from warehouse import open_store


def test_from_the_command_line_through_kafka(tmp_path: Path, kafka: KafkaSettings) -> None:
    event = USAGE | {"record_id": str(uuid.uuid4()), "account_id": f"acme-{uuid.uuid4().hex}"}
    assert run(tmp_path, "emit", "-", "--server-id", "fra-1", lines=[event]).returncode == 0
    (tmp_path / "homemeeting.toml").write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap_servers}"\n'
    )
    for _ in range(2):
        forwarded = run(tmp_path, "forward", "--once")
        assert forwarded.returncode == 0, forwarded.stderr
        consumed = run(tmp_path, "consume", "--once")
        assert consumed.returncode == 0, consumed.stderr
    shown = json.loads(run(tmp_path, "status", "--format", "json").stdout)
    assert all(one["lag"] == 0 and one["log"] != "journal" for one in shown["positions"])
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        rows = store.rows(
            "SELECT records, duration_us FROM usage_daily WHERE account_id = ?",
            [event["account_id"]],
        )
    assert rows == [(1, 3_600_000_000)]
