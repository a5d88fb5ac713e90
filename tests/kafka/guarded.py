"""A broker whose listeners are guarded by TLS, by a client's certificate, and by SCRAM.

Owns the certificates, which openssl makes anew and for a day, and the user of SCRAM. One process
has them all: PLAINTEXT, MTLS, SCRAM (over TLS), and EXPIRED, whose certificate is of yesterday.
"""

import contextlib
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from tests.kafka.broker import Broker, Guarded, NoBroker, free_port, own_broker

USER = "homemeeting"
_PROTOCOLS = {"MTLS": "SSL", "SCRAM": "SASL_SSL", "EXPIRED": "SSL"}
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
        """What SCRAM asks for from now on."""
        admin = KafkaAdminClient(bootstrap_servers=self.broker.address)
        try:
            wanted = UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_512, password)
            told = admin.alter_user_scram_credentials([wanted])
            assert told == {USER: None}
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
        ports = {name: free_port() for name in _PROTOCOLS}
        guarded = Guarded(home, _PROTOCOLS, ports, tuple(_lines(home)))
        with own_broker(guarded) as broker:
            yield GuardedBroker(broker, home, ports)


def _lines(home: Path) -> Iterator[str]:
    for listener in _PROTOCOLS:
        prefix = f"listener.name.{listener.lower()}"
        name = "expired" if listener == "EXPIRED" else "broker"
        yield f"{prefix}.ssl.keystore.type=PEM"
        yield f"{prefix}.ssl.keystore.location={home / name}.store"
        yield f"{prefix}.ssl.truststore.type=PEM"
        yield f"{prefix}.ssl.truststore.location={home / 'ca.pem'}"
    yield "listener.name.mtls.ssl.client.auth=required"
    yield "sasl.enabled.mechanisms=SCRAM-SHA-512"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    yield f"listener.name.scram.scram-sha-512.sasl.jaas.config={module} required;"


def _make_certificates(home: Path) -> None:
    for ca in ("ca", "stranger"):
        _openssl(home, "req", "-x509", *_EC, "-days", "1", "-subj", f"/CN={ca}",
                 "-keyout", f"{ca}.key", "-out", f"{ca}.pem")  # fmt: skip
    # The address alone: who calls the broker `localhost` reaches another host than it names.
    (home / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name, ca, days in (
        ("broker", "ca", 1), ("expired", "ca", -1), ("ours", "ca", 1), ("old", "ca", -1),
        ("strange", "stranger", 1),
    ):  # fmt: skip
        _openssl(home, "req", *_EC, "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                 "-out", f"{name}.csr")  # fmt: skip
        serial = str(int.from_bytes(secrets.token_bytes(8)) >> 1)
        _openssl(home, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem",
                 "-CAkey", f"{ca}.key", "-set_serial", serial, "-days", str(days),
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
