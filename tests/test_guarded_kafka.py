"""Kafka behind TLS, certificates and passwords, on a real broker that has a listener of each.

What is right works with both clients; what is wrong is refused, named, and tells no secret.
"""

import random
import re
import secrets
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ACLOperation

from edge import Refused
from edge.kafka_access import KafkaAccess
from eventlog.kafka import KafkaTopics
from eventlog.kafka_open import Library, open_client, open_kafka
from eventlog.kafka_probe import why_not
from eventlog.kafka_settings import KafkaSettings
from producers.forwarder import Forwarder
from schemas import TOPICS
from tests.command_line import run, run_here, shown_here, start, usage_event, wait_until
from tests.kafka.guarded import USER, GuardedBroker
from tests.kafka.strangers import Talk, answers, listening

WRONG = "wr0ng-" + secrets.token_hex(8)
LIBRARIES: tuple[Library, ...] = ("kafka-python", "librdkafka")


@pytest.fixture
def password(guarded: GuardedBroker) -> str:
    """The user's, new for each test."""
    new = "pa55-" + secrets.token_hex(8)
    guarded.set_password(new)
    return new


def _mtls(guarded: GuardedBroker, name: str | None = "ours", ca: str = "ca") -> KafkaAccess:
    files = _files(guarded, name) if name is not None else {}
    return KafkaAccess("SSL", ca_file=Path(guarded.file(f"{ca}.pem")), **files)


def _files(guarded: GuardedBroker, name: str = "ours") -> dict[str, Any]:
    return {
        "certificate_file": Path(guarded.file(f"{name}.pem")),
        "key_file": Path(guarded.file(f"{name}.key")),
    }


def _scram(guarded: GuardedBroker, password: str, **changes: Any) -> KafkaAccess:
    told = {"username": USER, "ca_file": Path(guarded.file("ca.pem")), "password": password}
    return KafkaAccess("SASL_SSL", **(told | changes))


def _settings(address: str, access: KafkaAccess, timeout_s: float = 10.0) -> KafkaSettings:
    return KafkaSettings(address, f"test-{secrets.token_hex(4)}", timeout_s, access)


@pytest.fixture(params=["MTLS", "SCRAM"])
def right(request: pytest.FixtureRequest, guarded: GuardedBroker, password: str) -> KafkaSettings:
    """Each way in that the broker takes."""
    access = _mtls(guarded) if request.param == "MTLS" else _scram(guarded, password)
    return _settings(guarded.address(request.param), access)


def test_what_is_right_is_forwarded_and_read(tmp_path: Path, right: KafkaSettings) -> None:
    known = KafkaTopics.connect(right)
    known.create(TOPICS)
    known.close()
    lines = [
        usage_event(n, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z") for n in range(1, 51)
    ]
    server = f"tls-{secrets.token_hex(4)}"
    assert run_here(tmp_path, "emit", "-", "--server-id", server, lines=lines).returncode == 0
    with Forwarder(tmp_path / "journal", right, sleep=time.sleep) as forwarder:
        assert forwarder.run_once() == 52
    for library in LIBRARIES:
        log = open_kafka(right, ["meetings.usage"], library)
        log.assign({})
        at, ends, mine = {}, log.ends(["meetings.usage"]), 0
        deadline = time.monotonic() + 60
        while any(at.get(place, 0) < end for place, end in ends.items()):
            assert time.monotonic() < deadline
            for one in log.poll(1000, 0.3):
                at[one.partition] = one.next
                mine += sum(source.startswith(server) for source in one.sources if source)
        log.close()
        assert mine == 50, library


# The address to call, whom to be, and what must be said.
WRONGS = {
    "wrong CA": ("SCRAM", lambda g, p: _scram(g, p, ca_file=Path(g.file("stranger.pem"))),
                 "KAFKA_WRONG_CA"),
    "machine's CAs": ("SCRAM", lambda g, p: _scram(g, p, ca_file=None), "KAFKA_WRONG_CA"),
    "wrong CA, mTLS": ("MTLS", lambda g, p: _mtls(g, ca="stranger"), "KAFKA_WRONG_CA"),
    "expired": ("EXPIRED", lambda g, p: _mtls(g), "KAFKA_CERTIFICATE_EXPIRED"),
    "wrong host": ("SCRAM localhost", _scram, "KAFKA_WRONG_HOST"),
    "wrong host, mTLS": ("MTLS localhost", lambda g, p: _mtls(g), "KAFKA_WRONG_HOST"),
    "plaintext port, TLS": ("PLAINTEXT", lambda g, p: _mtls(g), "KAFKA_NO_TLS"),
    "plaintext port, SCRAM": ("PLAINTEXT", _scram, "KAFKA_NO_TLS"),
    "TLS port, plaintext": ("SCRAM", lambda g, p: KafkaAccess(), "KAFKA_NEEDS_TLS"),
    "mTLS port, plaintext": ("MTLS", lambda g, p: KafkaAccess(), "KAFKA_NEEDS_TLS"),
    "wrong password": ("SCRAM", lambda g, p: _scram(g, WRONG), "KAFKA_LOGIN"),
    "no such user": ("SCRAM", lambda g, p: _scram(g, p, username="nobody"), "KAFKA_LOGIN"),
    "other mechanism": ("SCRAM", lambda g, p: _scram(g, p, sasl_mechanism="SCRAM-SHA-256"),
                        "KAFKA_MECHANISM"),
    "no login": ("SCRAM", lambda g, p: _mtls(g), "KAFKA_LOGIN_WANTED"),
    "login nowhere": ("EXPIRED", _scram, "KAFKA_CERTIFICATE_EXPIRED"),
    "not valid yet": ("EARLY", lambda g, p: _mtls(g), "KAFKA_CERTIFICATE_EXPIRED"),
    "login where none is": ("MTLS", lambda g, p: _scram(g, p, **_files(g)), "KAFKA_NO_LOGIN"),
    "TLS 1.2 port, plaintext": ("TLS12", lambda g, p: KafkaAccess(), "KAFKA_NEEDS_TLS"),
    "TLS 1.2, no certificate": ("TLS12", lambda g, p: _mtls(g, None), "KAFKA_CERTIFICATE_WANTED"),
    "sent astray": ("ASTRAY", lambda g, p: KafkaAccess(), "KAFKA_UNREACHABLE"),
    "no certificate": ("MTLS", lambda g, p: _mtls(g, None), "KAFKA_CERTIFICATE_WANTED"),
    "old certificate": ("MTLS", lambda g, p: _mtls(g, "old"), "KAFKA_CERTIFICATE_REFUSED"),
    "strange certificate": ("MTLS", lambda g, p: _mtls(g, "strange"), "KAFKA_CERTIFICATE_REFUSED"),
}  # fmt: skip


def _wrong(guarded: GuardedBroker, password: str, name: str) -> tuple[KafkaSettings, str]:
    where, access, code = WRONGS[name]
    listener, _, host = where.partition(" ")
    if listener == "PLAINTEXT":
        address = guarded.broker.address
    else:
        address = guarded.address(listener, host or "127.0.0.1")
    return _settings(address, access(guarded, password), 1.0), code


def _refusal(settings: KafkaSettings, said: str) -> Refused:
    """Of connecting, within the time that it has. A machine may be too slow for that: where not
    this is said, the broker is asked once more, with patience.
    """
    for patience_s in (settings.timeout_s, 15.0):
        started = time.monotonic()
        with pytest.raises(Refused) as caught:
            KafkaTopics.connect(replace(settings, timeout_s=patience_s))
        assert time.monotonic() - started < 6 * patience_s + 30
        if said in str(caught.value):
            break
    return caught.value


@pytest.mark.parametrize("name", WRONGS)
def test_what_is_wrong_is_refused_and_named(
    guarded: GuardedBroker, password: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings, code = _wrong(guarded, password, name)
    caught = _refusal(settings, code)
    assert caught.code == code
    assert settings.servers()[0] in caught.summary, "names the broker"
    for told in (str(caught), repr(settings), repr(settings.access), caplog.text):
        assert password not in told
        assert WRONG not in told


@pytest.mark.parametrize("name", ["wrong CA", "machine's CAs", "wrong host", "wrong password"])
def test_librdkafka_reads_nothing_and_names_it_too(
    guarded: GuardedBroker, password: str, name: str
) -> None:
    settings, code = _wrong(guarded, password, name)
    client = open_client(replace(settings, timeout_s=10.0), "librdkafka")
    client.assign({("meetings.usage", 0): 0})
    deadline = time.monotonic() + 60
    with pytest.raises(Refused) as caught:
        while time.monotonic() < deadline:
            assert client.fetch(100, 0.5) == {}
    client.close()
    assert caught.value.code == code
    assert password not in str(caught.value)
    assert WRONG not in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "said", "patience_s"),
    [
        (ACLOperation.DESCRIBE, "TopicAuthorizationFailedError: {topic}", 10.0),
        (ACLOperation.DESCRIBE_CONFIGS, "Kafka does not tell how {topic} are set: give this", 2.0),
        (ACLOperation.READ, "{topic}", 10.0),
    ],
    ids=["describe", "describe settings", "read"],
)
def test_rights_that_are_missing_are_named(
    guarded: GuardedBroker, password: str, operation: ACLOperation, said: str, patience_s: float
) -> None:
    """Nobody waits for them: that Kafka refuses does not pass by itself; but settings that it does
    not tell may be those of a topic just made.
    """
    topic = f"homemeeting.test.{secrets.token_hex(6)}"
    known = KafkaTopics.connect(KafkaSettings(guarded.broker.address))
    known.create([topic])
    known.close()
    guarded.deny(USER, operation, topic)
    access = _scram(guarded, password)
    for library in LIBRARIES:
        for patience in (patience_s, 15.0):
            settings = _settings(guarded.address("SCRAM"), access, patience)
            with (
                pytest.raises(Refused) as caught,
                closing(open_kafka(settings, [topic], library)) as log,
            ):
                log.assign({})
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    assert log.poll(100, 0.3) == []
            if caught.value.code != "KAFKA_UNREACHABLE":  # the machine was too slow
                break
        assert caught.value.code == "KAFKA_REFUSED"
        assert said.format(topic=topic) in caught.value.summary


def test_who_is_sent_astray_is_told_that_kafka_answers(guarded: GuardedBroker) -> None:
    settings = _settings(guarded.address("ASTRAY"), KafkaAccess(), 1.0)
    caught = _refusal(settings, "answers, and not where it")
    assert re.search(r"answers, and not where it .* advertised\.listeners", str(caught))


def _hang_up(link: socket.socket) -> None:
    """As a balancer does that has nobody behind it."""


def _reset(link: socket.socket) -> None:
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _greet(link: socket.socket) -> None:
    link.sendall(b"220 mail.example ESMTP\r\n")
    link.recv(1000)


def _say_nothing(link: socket.socket) -> None:
    while link.recv(1000):
        pass


@pytest.mark.parametrize("talk", [_hang_up, _reset, _greet, _say_nothing])
def test_what_is_no_broker_is_one_that_does_not_answer(guarded: GuardedBroker, talk: Talk) -> None:
    """Within the time that a broker has, though the client would wait for TLS for ever."""
    store = guarded.file("broker.store")
    for over, access, code in (
        (None, KafkaAccess(), "KAFKA_UNREACHABLE"),
        (None, _mtls(guarded), "KAFKA_UNREACHABLE"),
        (store, _mtls(guarded), "KAFKA_UNREACHABLE"),
        (store, KafkaAccess(), "KAFKA_NEEDS_TLS"),
    ):
        with listening(talk, over) as address:
            caught = _refusal(_settings(address, access, 0.5), code)
            assert caught.code == code
            assert address in caught.summary


# What a broker answers to whom it would let in.
KNOWS = (struct.pack(">hi", 0, 0),) * 2
# To each request in turn. None is the answer to another.
SAID: dict[str, tuple[tuple[bytes | None, ...], str]] = {
    "denied": ((*KNOWS, struct.pack(">h", 58)), "KAFKA_LOGIN"),
    "another's answer": ((None,), "KAFKA_UNREACHABLE"),
    "no code": ((KNOWS[0], b""), "KAFKA_UNREACHABLE"),
    "a code of another request": ((*KNOWS, struct.pack(">h", 3)), "KAFKA_UNREACHABLE"),
    "cut behind the code": ((*KNOWS, struct.pack(">h", 0)), "KAFKA_UNREACHABLE"),
    "cut in the message": ((*KNOWS, struct.pack(">hh", 0, 30_000)), "KAFKA_UNREACHABLE"),
    "no SCRAM": ((*KNOWS, struct.pack(">hhi", 0, -1, 3) + b"abc"), "KAFKA_UNREACHABLE"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_broker_that_answers_nonsense_is_told_as_none(guarded: GuardedBroker, name: str) -> None:
    told, code = SAID[name]
    with listening(answers(*told), guarded.file("broker.store")) as address:
        found = why_not(_settings(address, _scram(guarded, WRONG)))
    assert found is not None
    assert found.code == code


def test_no_answer_breaks_the_asking_or_stands_in_what_is_told(
    guarded: GuardedBroker, rng: random.Random
) -> None:
    mark = b"\x1b[31m"
    for _ in range(60):
        drawn = [mark + rng.randbytes(rng.randrange(40)) for _ in range(3)]
        codes = [struct.pack(">h", rng.choice([0, 0, 33, 34, 58])) + one for one in drawn]
        told = [
            *KNOWS[: rng.randrange(3)],
            *(rng.choice(pair) for pair in zip(drawn, codes, strict=True)),
        ]
        access = _mtls(guarded) if rng.random() < 0.2 else _scram(guarded, WRONG)
        with listening(answers(*told), guarded.file("broker.store")) as address:
            found = why_not(_settings(address, access))
        if found is not None:
            assert found.code.startswith("KAFKA_")
            assert mark.decode() not in str(found)
            assert WRONG not in str(found)


def test_what_is_right_has_nothing_against_it(right: KafkaSettings) -> None:
    assert why_not(right) is None


@pytest.fixture
def home(tmp_path: Path, guarded: GuardedBroker, password: str) -> Iterator[Path]:
    """A home that is set to SCRAM, its password in a file beside it."""
    found = tmp_path / "home"
    found.mkdir()
    _write_secret(tmp_path / "password", password)
    (found / "homemeeting.toml").write_text(
        "[kafka]\n"
        f'bootstrap_servers = "{guarded.address("SCRAM")}"\n'
        'security_protocol = "SASL_SSL"\n'
        f'ca_file = "{guarded.file("ca.pem")}"\n'
        f'username = "{USER}"\n'
        'password_file = "../password"\n'
    )
    yield found
    # Whatever the test did: what lies in the home holds no secret.
    for file in found.rglob("*"):
        assert file.is_dir() or password.encode() not in file.read_bytes(), file


def _write_secret(file: Path, secret: str) -> None:
    file.write_text(secret + "\n")
    file.chmod(0o600)


def test_commands_take_a_new_password_and_refuse_the_old(
    home: Path, guarded: GuardedBroker, password: str
) -> None:
    def typed(*words: str, settings: Mapping[str, str] | None = None, lines: Any = ()) -> Any:
        done = run_here(home, *words, lines=lines, **(settings or {}))
        assert password not in done.stdout + done.stderr
        assert renewed not in done.stdout + done.stderr
        return done

    renewed = "new-" + secrets.token_hex(8)
    event = usage_event(1, "acme", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z")
    assert typed("topics", "create").returncode == 0
    assert typed("emit", "-", "--server-id", "fra-1", lines=[event]).returncode == 0
    assert typed("forward", "--once").returncode == 0
    guarded.set_password(renewed)
    for command in ("forward", "consume"):
        refused = typed(command, "--once")
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1].startswith("KAFKA_LOGIN: ")
    told = {"kafka_password": renewed}  # over that of the file
    assert typed("forward", "--once", settings=told).returncode == 0
    _write_secret(home.parent / "password", renewed)
    assert typed("consume", "--once").returncode == 0
    status = shown_here(home, "status")
    assert all(one["lag"] == 0 for one in status["positions"])


def test_a_service_shows_no_secret_to_those_who_list_processes(
    home: Path, guarded: GuardedBroker, password: str, tmp_path: Path
) -> None:
    assert run(home, "topics", "create").returncode == 0
    with (tmp_path / "said").open("wb") as said, start(home, "consume", said=said) as service:
        wait_until((home / "usage.duckdb.serving").exists)
        arguments = Path(f"/proc/{service.pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{service.pid}/environ").read_bytes()
        service.terminate()
    assert b"consume" in arguments
    assert password.encode() not in arguments + environment
    assert password not in (tmp_path / "said").read_text()
