"""Invoices held to the log in Kafka, and to its archive once Kafka has deleted its beginning."""

from pathlib import Path

from kafka import KafkaAdminClient, TopicPartition

from eventlog import KafkaSettings, open_archive
from tests.command_line import run_here, shown_here, usage_event
from tests.homes import TALK_BOOK, billed_home

USAGE = "meetings.usage"
ACCOUNTS = """\
account_id,name,email,country,language,time_zone,currency,plan,since,until,quantity
acme,A,a@a.example,DE,en,UTC,EUR,p,2026-01-01,,1
"""


def test_kafka_or_its_archive_holds_what_was_billed(tmp_path: Path, kafka: KafkaSettings) -> None:
    address, archive = kafka.bootstrap_servers, str(tmp_path / "archive")
    told = {"kafka_bootstrap_servers": address, "billing_grace_hours": "0"}
    home = billed_home(tmp_path, ACCOUNTS, TALK_BOOK, [])
    days = ("2026-10-05T12:00:00Z", "2026-10-05T12:30:00Z")
    events = [usage_event(number, "acme", *days) for number in range(1, 4)]

    def done(*arguments: str, code: int = 0, now: str = "2190-01-02T00:00:00Z") -> str:
        ran = run_here(home, *arguments, **told, now=now)
        assert ran.returncode == code, ran.stderr
        return ran.stdout + ran.stderr

    assert run_here(home, "emit", "-", "--server-id", "f", lines=events, **told).returncode == 0
    done("forward", "--once")
    done("consume", "--once")
    closing = ("--month", "2026-10", "--finalize", "--accept-incomplete", "test")
    done("invoice", "run", *closing, now="2026-11-03T00:00:00Z")
    verify = ("invoice", "verify", "HM-2026-000001", "--from-log")
    assert "1 document verified" in done(*verify)
    done("log", "archive", "--until", "2190-01-01", "--to", archive)
    (place, one) = next(
        (place, one)
        for place, one in open_archive(Path(archive)).partitions.items()
        if place.topic == USAGE and one.next
    )
    admin = KafkaAdminClient(bootstrap_servers=address)
    admin.delete_records({TopicPartition(USAGE, int(place.partition)): one.next})
    admin.close()
    gone = done(*verify, code=1)
    assert f"LOG_GONE: {USAGE}[{place.partition}]: " in gone
    assert " log gone" in gone
    assert "1 document verified" in done(*verify, "--archive", archive)
    assert "LOG_OTHER" in done(*verify, "--from", "journal", code=1)
    (row,) = shown_here(home, *verify, "--archive", archive, **told)
    assert (row["found"], row["records"]) == ("whole", 3)
