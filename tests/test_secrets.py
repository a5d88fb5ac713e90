"""Secrets come from the environment or from files that nobody else can read, and are not shown."""

import os
from pathlib import Path
from typing import Any

import pytest

from edge import Refused, load_settings
from eventlog import KafkaSettings
from tests.command_line import run_here, start, wait_until
from warehouse import open_scratch
from warehouse.serving import Serving, find_serving, load_quack

# Fixed: it is in the names of tests, which all processes of a run must agree on.
SECRET = "s3cret-8a75f97bc167dcb3"
LOGIN = {
    "HOMEMEETING_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "HOMEMEETING_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "HOMEMEETING_KAFKA_USERNAME": "homemeeting",
}


def test_a_password_comes_from_the_environment_or_a_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(SECRET + "\r\n")
    (tmp_path / "password").chmod(0o600)
    in_file = load_settings(tmp_path, LOGIN | {"HOMEMEETING_KAFKA_PASSWORD_FILE": "password"})
    in_environment = load_settings(tmp_path, LOGIN | {"HOMEMEETING_KAFKA_PASSWORD": SECRET})
    for home in (in_file, in_environment):
        kafka = KafkaSettings.of(home)
        assert kafka.access.password == SECRET
        assert SECRET not in repr(home) + repr(kafka)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o602])
@pytest.mark.parametrize("name", ["password_file", "key_file"])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int, name: str) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(mode)
    told = LOGIN | {f"HOMEMEETING_KAFKA_{name.upper()}": "secret"}
    if name == "key_file":
        told |= {"HOMEMEETING_KAFKA_PASSWORD": SECRET}
        told |= {"HOMEMEETING_KAFKA_CERTIFICATE_FILE": "certificate"}
    with pytest.raises(Refused) as caught:
        KafkaSettings.of(load_settings(tmp_path, told))
    assert caught.value.code == "KAFKA_SECRETS"
    (fault,) = caught.value.faults
    assert (fault.code, fault.place) == ("SECRET_OPEN", f"kafka.{name}")
    assert f"({mode:04o})" in fault.message
    assert SECRET not in str(caught.value) + str(fault)


@pytest.mark.skipif(os.getuid() != 0, reason="gives a file to another user, which takes root")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(0o600)
    os.chown(file, 54_321, -1)
    told = LOGIN | {"HOMEMEETING_KAFKA_PASSWORD_FILE": "secret"}
    with pytest.raises(Refused, match="KAFKA_SECRETS") as caught:
        KafkaSettings.of(load_settings(tmp_path, told))
    assert [one.code for one in caught.value.faults] == ["SECRET_OPEN"]


def test_a_secret_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch(0o600)
    for name, code in (("none", "SECRET_UNREADABLE"), ("empty", "SECRET_EMPTY")):
        told = LOGIN | {"HOMEMEETING_KAFKA_PASSWORD_FILE": name}
        with pytest.raises(Refused, match="KAFKA_SECRETS") as caught:
            KafkaSettings.of(load_settings(tmp_path, told))
        assert [one.code for one in caught.value.faults] == [code]


@pytest.mark.parametrize(
    ("lines", "code", "place"),
    [
        (f'password = "{SECRET}"', "SETTINGS_SECRET", "kafka.password"),
        (f'security_protocol = "{SECRET}"', "SETTINGS_VALUE", "kafka.security_protocol"),
        ('security_protocol = "SASL_PLAINTEXT"', "SETTINGS_VALUE", "kafka.security_protocol"),
        ('security_protocol = "SASL_SSL"\nusername = "u"', "SETTINGS_VALUE", "kafka.password_file"),
        ('security_protocol = "SSL"\nkey_file = "k"', "SETTINGS_VALUE", "kafka.key_file"),
        ('username = "u"', "SETTINGS_VALUE", "kafka.security_protocol"),
        ('ca_file = "ca.pem"', "SETTINGS_VALUE", "kafka.security_protocol"),
        ('sasl_mechanism = "PLAIN"', "SETTINGS_VALUE", "kafka.sasl_mechanism"),
        ("password_file = 1", "SETTINGS_TYPE", "kafka.password_file"),
    ],
)
def test_settings_that_would_not_guard_are_refused(
    tmp_path: Path, lines: str, code: str, place: str
) -> None:
    (tmp_path / "homemeeting.toml").write_text(f"[kafka]\n{lines}\n")
    done = run_here(tmp_path, "status")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{code}: {place}: ")
    assert SECRET not in done.stderr


def test_a_secret_is_not_asked_for_where_kafka_is_not(tmp_path: Path) -> None:
    """Who bills need not be able to read what the forwarder logs in with."""
    told = {name.removeprefix("HOMEMEETING_").lower(): text for name, text in LOGIN.items()}
    done = run_here(tmp_path, "account", "list", kafka_password_file="not-for-us", **told)
    assert "SECRET" not in done.stderr


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text(f"no certificate, {SECRET}")
        (tmp_path / name).chmod(0o600)
    files = {
        f"HOMEMEETING_KAFKA_{name.upper()}_FILE": name for name in ("ca", "certificate", "key")
    }
    told = {"kafka_bootstrap_servers": "127.0.0.1:1", "kafka_security_protocol": "SSL"}
    told |= {name.removeprefix("HOMEMEETING_").lower(): file for name, file in files.items()}
    done = run_here(tmp_path, "topics", "create", **told)
    places = [line.split(": ")[1] for line in done.stderr.splitlines() if "UNUSABLE" in line]
    assert places == ["kafka.ca_file", "kafka.certificate_file"]
    assert done.stderr.splitlines()[-1].startswith("KAFKA_CERTIFICATES: ")
    assert SECRET not in done.stderr
    told["kafka_ca_file"] = told["kafka_certificate_file"] = "gone"
    done = run_here(tmp_path, "topics", "create", **told)
    named = [line for line in done.stderr.splitlines() if line.startswith("FILE_UNUSABLE: ")]
    assert [line.split(": ", 2)[2] for line in named] == [
        f"{tmp_path / 'gone'}: No such file or directory"
    ] * 2


@pytest.mark.parametrize(
    ("name", "place"),
    [("kafka_username", "kafka.username"), ("kafka_password", "HOMEMEETING_KAFKA_PASSWORD")],
)
def test_a_login_that_is_no_text_is_named_and_not_shown(
    tmp_path: Path, name: str, place: str
) -> None:
    """As a password of Latin letters is that was not written in UTF-8."""
    told = {key.removeprefix("HOMEMEETING_").lower(): text for key, text in LOGIN.items()}
    told = {**told, "kafka_password": SECRET, name: os.fsdecode(SECRET.encode() + b"\xe4")}
    done = run_here(tmp_path, "topics", "create", **told)
    assert (done.returncode, done.stderr.count("SETTINGS_VALUE: ")) == (1, 1)
    assert f"SETTINGS_VALUE: {place}: is not UTF-8\n" in done.stderr
    assert SECRET not in done.stderr


def _asked(told: Serving, sql: str, token: str) -> list[Any]:
    with open_scratch("usage").closing() as reader:
        reader.use(load_quack)
        return reader.rows("FROM quack_query(?, ?, token => ?)", [told.uri, sql, token])


def test_who_may_read_a_running_store_reads_nothing_else(tmp_path: Path) -> None:
    """Its token is in a file of its owner's alone, and gives the store's rows, not the machine."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    home = tmp_path / "home"
    with start(home, "consume") as service:
        store = home / "usage.duckdb"
        wait_until(lambda: find_serving(store) is not None)
        told = find_serving(store)
        assert told is not None
        assert told.token.encode() not in Path(f"/proc/{service.pid}/cmdline").read_bytes()
        assert told.uri.startswith("quack:127.0.0.1:")
        assert _asked(told, "SELECT 42", told.token) == [(42,)]
        for sql in (
            f"SELECT content FROM read_text('{secret}')",
            f"FROM read_csv('{secret}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'written'}'",
            f"ATTACH '{tmp_path / 'other.duckdb'}'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(Exception) as caught:  # noqa: B017, PT011  whichever the store says
                _asked(told, sql, told.token)
            assert SECRET not in str(caught.value)
        with pytest.raises(Exception):  # noqa: B017, PT011
            _asked(told, "SELECT 42", "x" * len(told.token))
        assert _asked(told, "SELECT 42", told.token) == [(42,)]
        service.terminate()
    assert not (tmp_path / "written").exists()
    assert not (tmp_path / "other.duckdb").exists()
