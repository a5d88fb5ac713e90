"""A broker whose listeners are guarded by TLS, by a client's certificate, and by SCRAM.

Owns the certificates, which openssl makes anew and for a day, and the user of SCRAM. One process
has them all: PLAINTEXT, MTLS, SCRAM (over TLS), TLS12, which is MTLS of before TLS 1.3, EXPIRED and
EARLY, whose certificates are of yesterday and of tomorrow, and ASTRAY, a plaintext port that sends
its clients on to where nobody listens. Everybody may do everything, but what `deny` takes away.
"""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.command_line import wait_until
from tests.kafka.broker import Broker, Guarded, NoBroker, free_port, own_broker

USER = "homemeeting"
_PROTOCOLS = {"MTLS": "SSL", "SCRAM": "SASL_SSL", "TLS12": "SSL", "EXPIRED": "SSL", "EARLY": "SSL"}
# How the certificates are issued, as `openssl ca` asks to be told.
_ISSUING = """\
[ca]
default_ca = tests
[tests]
database = issued
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
unique_subject = no
[names]
commonName = supplied
"""
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class GuardedBroker:
    """`folder` holds `NAME.pem`, and for what has one `NAME.key`: `ca` vouches for all but what
    `stranger` does; `ours` and `old`, which has expired, are clients, `strange` is the stranger's.
    """

    broker: Broker
    folder: Path
    ports: dict[str, int]

    def address(self, listener: str, host: str = "127.0.0.1") -> str:
        return f"{host}:{self.ports[listener]}"

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def set_password(self, password: str) -> None:
        """What SCRAM asks for from now on. A broker says that it is so before it is."""
        admin = KafkaAdminClient(bootstrap_servers=self.broker.address)
        try:
            wanted = UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, password)
            told = admin.alter_user_scram_credentials([wanted])
            assert told == {USER: None}
        finally:
            admin.close()
        deadline, patience_s = time.monotonic() + 60, 1.0
        while not self._lets_in(password, patience_s):
            assert time.monotonic() < deadline, "the new password is not known"
            patience_s *= 2

    def _lets_in(self, password: str, patience_s: float) -> bool:
        asking = AdminClient(
            {
                "bootstrap.servers": self.address("SCRAM"),
                "security.protocol": "SASL_SSL",
                "ssl.ca.location": self.file("ca.pem"),
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": USER,
                "sasl.password": password,
            }
        )
        try:
            asking.list_topics(timeout=patience_s)
        except KafkaException:
            return False
        return True

    def deny(self, user: str, operation: ACLOperation, topic: str) -> None:
        """From now on `user` may not do this with `topic`, everybody else all. A broker says that
        it is so before it is.
        """
        pattern = ResourcePattern(ResourceType.TOPIC, topic)
        every, denied = ACLPermissionType.ALLOW, ACLPermissionType.DENY
        admin = KafkaAdminClient(bootstrap_servers=self.broker.address)
        try:
            told = admin.create_acls(
                [
                    ACL("User:*", "*", ACLOperation.ALL, every, pattern),
                    ACL(f"User:{user}", "*", operation, denied, pattern),
                ]
            )
            assert told["failed"] == []
            anybody = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, pattern)
            wait_until(lambda: len(admin.describe_acls(anybody)[0]) == 2)
        finally:
            admin.close()


@contextlib.contextmanager
def guarded_broker() -> Iterator[GuardedBroker]:
    """Running, and stopped afterwards. Raises NoBroker."""
    if not shutil.which("openssl"):
        raise NoBroker("no openssl on the path, which makes the certificates")
    with tempfile.TemporaryDirectory(prefix="homemeeting-tls-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a container's user reads it too; nothing in it outlives the test
        _make_certificates(home)
        protocols = {**_PROTOCOLS, "ASTRAY": "PLAINTEXT"}
        ports = {name: free_port() for name in protocols}
        told = {"ASTRAY": free_port()}
        guarded = Guarded(home, protocols, ports, tuple(_lines(home)), told)
        with own_broker(guarded) as broker:
            yield GuardedBroker(broker, home, ports)


def _lines(home: Path) -> Iterator[str]:
    for listener in _PROTOCOLS:
        prefix = f"listener.name.{listener.lower()}"
        name = listener.lower() if listener in ("EXPIRED", "EARLY") else "broker"
        yield f"{prefix}.ssl.keystore.type=PEM"
        yield f"{prefix}.ssl.keystore.location={home / name}.store"
        yield f"{prefix}.ssl.truststore.type=PEM"
        yield f"{prefix}.ssl.truststore.location={home / 'ca.pem'}"
    yield "listener.name.mtls.ssl.client.auth=required"
    yield "listener.name.tls12.ssl.client.auth=required"
    yield "listener.name.tls12.ssl.enabled.protocols=TLSv1.2"
    yield "sasl.enabled.mechanisms=SCRAM-SHA-512"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    yield f"listener.name.scram.scram-sha-512.sasl.jaas.config={module} required;"
    yield "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    yield "allow.everyone.if.no.acl.found=true"
    yield "super.users=User:ANONYMOUS"


def _make_certificates(home: Path) -> None:
    for ca in ("ca", "stranger"):
        _openssl(home, "req", "-x509", *_EC, "-days", "1", "-subj", f"/CN={ca}",
                 "-keyout", f"{ca}.key", "-out", f"{ca}.pem")  # fmt: skip
    # The address alone: who calls the broker `localhost` reaches another host than it names.
    (home / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    (home / "issued").touch()
    (home / "issuing").write_text(_ISSUING)
    for name, ca, days in (
        ("broker", "ca", 0), ("expired", "ca", -2), ("early", "ca", 2), ("ours", "ca", 0),
        ("old", "ca", -2), ("strange", "stranger", 0),
    ):  # fmt: skip
        _openssl(home, "req", *_EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                 "-out", f"{name}.csr")  # fmt: skip
        middle, day = datetime.now(UTC) + timedelta(days), timedelta(1)
        _openssl(home, "ca", "-batch", "-notext", "-config", "issuing", "-create_serial",
                 "-cert", f"{ca}.pem", "-keyfile", f"{ca}.key", "-in", f"{name}.csr",
                 "-startdate", f"{middle - day:%Y%m%d%H%M%SZ}",
                 "-enddate", f"{middle + day:%Y%m%d%H%M%SZ}",
                 "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
        store = (home / f"{name}.key").read_text() + (home / f"{name}.pem").read_text()
        (home / f"{name}.store").write_text(store)
        (home / f"{name}.store").chmod(0o644)
        (home / f"{name}.key").chmod(0o600)


def _openssl(home: Path, *words: str) -> None:
    done = subprocess.run(
        ["openssl", *words], cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoBroker(f"openssl makes no certificates: {done.stderr.strip()[-200:]}")
