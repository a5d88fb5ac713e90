"""How Kafka lets us in: plaintext or TLS, with or without a certificate of ours and a password.

Owns the settings of it and the rule that a secret comes from the environment or from a file that
its owner alone can read. Opens no connection.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from edge.faults import Fault, Refused

PROTOCOLS: Final = ("PLAINTEXT", "SSL", "SASL_SSL")  # Kafka's names; no password without TLS
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256")
_FILES: Final = ("ca_file", "certificate_file", "key_file", "password_file")
KAFKA_KEYS: Final = ("security_protocol", "sasl_mechanism", "username", *_FILES)
PASSWORD: Final = "HOMEMEETING_KAFKA_PASSWORD"
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """`ca_file` is who vouches for the broker, None the machine's own list; `certificate_file` and
    `key_file` show who we are; a password is either told or in `password_file`.
    """

    security_protocol: str = PROTOCOLS[0]
    sasl_mechanism: str = MECHANISMS[0]
    username: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    password_file: Path | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def has_tls(self) -> bool:
        return self.security_protocol != "PLAINTEXT"

    @property
    def has_login(self) -> bool:
        return self.security_protocol == "SASL_SSL"

    def opened(self) -> Self:
        """With the password read. Refuses with KAFKA_SECRETS, every file that is amiss listed."""
        faults = [] if self.key_file is None else list(_unsafe("kafka.key_file", self.key_file))
        password = self.password
        if self.password_file is not None and password is None:
            unsafe = list(_unsafe("kafka.password_file", self.password_file))
            faults += unsafe
            password = None if unsafe else _read(self.password_file)
            if password == "":
                faults.append(Fault("SECRET_EMPTY", "kafka.password_file", "holds no password"))
        if faults:
            raise Refused("KAFKA_SECRETS", "secrets are not as they must be", faults)
        return replace(self, password=password)


def kafka_access(home: Path, told: Mapping[str, Any], environ: Mapping[str, str]) -> KafkaAccess:
    """As `[kafka]` says and, over it, HOMEMEETING_KAFKA_*; files are relative to the home."""

    def text(key: str) -> str | None:
        found: str | None = environ.get(f"HOMEMEETING_KAFKA_{key}".upper()) or told.get(key)
        return found or None

    def file(key: str) -> Path | None:
        return home / name if (name := text(key)) else None

    return KafkaAccess(
        text("security_protocol") or PROTOCOLS[0],
        text("sasl_mechanism") or MECHANISMS[0],
        text("username"),
        file("ca_file"),
        file("certificate_file"),
        file("key_file"),
        file("password_file"),
        environ.get(PASSWORD) or None,
    )


def wrong_access(access: KafkaAccess) -> Iterator[Fault]:
    """What does not go together; no file is looked at."""
    protocol, mechanism = access.security_protocol, access.sasl_mechanism
    if protocol not in PROTOCOLS:
        message = f"must be {', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}"
        yield Fault("SETTINGS_VALUE", "kafka.security_protocol", message)
        return
    if mechanism not in MECHANISMS:
        yield Fault("SETTINGS_VALUE", "kafka.sasl_mechanism", f"must be {' or '.join(MECHANISMS)}")
    if (access.certificate_file is None) != (access.key_file is None):
        message = "kafka.certificate_file and kafka.key_file go together"
        yield Fault("SETTINGS_VALUE", "kafka.key_file", message)
    if access.has_login and not access.username:
        yield Fault("SETTINGS_VALUE", "kafka.username", "must be set for SASL_SSL")
    for place, told in (("kafka.username", access.username), (PASSWORD, access.password)):
        if told and not _is_utf8(told):
            yield Fault("SETTINGS_VALUE", place, "is not UTF-8")
    has_password = bool(access.password or access.password_file)
    if access.has_login and not has_password:
        message = f"must be set for SASL_SSL, or {PASSWORD}"
        yield Fault("SETTINGS_VALUE", "kafka.password_file", message)
    # A password that would not be used is one that its owner believes to be.
    if not access.has_login and (has_password or access.username):
        message = "must be SASL_SSL where a username or a password is set"
        yield Fault("SETTINGS_VALUE", "kafka.security_protocol", message)
    if not access.has_tls and (access.ca_file or access.certificate_file):
        message = "must be SSL or SASL_SSL where certificates are set"
        yield Fault("SETTINGS_VALUE", "kafka.security_protocol", message)


def _is_utf8(told: str) -> bool:
    """Whether the environment, which may hold any octets, held those of a text."""
    try:
        told.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unsafe(place: str, file: Path) -> Iterator[Fault]:
    try:
        found = file.stat()
    except OSError as error:
        yield Fault("SECRET_UNREADABLE", place, f"{file}: {error.strerror}")
        return
    if found.st_mode & _OTHERS:
        message = f"{file} is open to others ({found.st_mode & 0o777:04o}): chmod 600 it"
        yield Fault("SECRET_OPEN", place, message)
    if found.st_uid not in (os.getuid(), 0):
        message = f"{file} belongs to another user, who can change it"
        yield Fault("SECRET_OPEN", place, message)


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not UTF-8"
        fault = Fault("SECRET_UNREADABLE", "kafka.password_file", f"{file}: {why}")
        raise Refused("KAFKA_SECRETS", "a secret cannot be read", [fault]) from None
