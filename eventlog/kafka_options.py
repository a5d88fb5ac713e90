"""What a client library is told of where the brokers are and how they let us in.

Owns the two libraries' names for it, and the TLS context of kafka-python and of our own probe.
"""

import ssl
from pathlib import Path
from typing import Any

from kafka.net.compat import KafkaNetClient

from edge import Fault, Refused
from edge.kafka_access import KafkaAccess
from eventlog.kafka_settings import KafkaSettings


def kafka_python_options(settings: KafkaSettings) -> dict[str, Any]:
    """Refuses with KAFKA_CERTIFICATES where a file of them cannot be used."""
    access = settings.access
    found: dict[str, Any] = {
        "bootstrap_servers": settings.servers(),
        "kafka_client": client_that_makes_no_topics,
    }
    if access.has_tls:
        found |= {"security_protocol": access.security_protocol, "ssl_context": tls(access)}
    if access.has_login:
        found |= {
            "sasl_mechanism": access.sasl_mechanism,
            "sasl_plain_username": access.username,
            "sasl_plain_password": access.password,
        }
    return found


def client_that_makes_no_topics(**options: Any) -> KafkaNetClient:
    """What kafka-python's consumer and producer work with. They take `allow_auto_create_topics`,
    and up to 3.0.12 do not tell it to the part that asks: a topic deleted under a reader or a
    writer would be there again at once, with the broker's settings, which lose events.
    """
    client = KafkaNetClient(**options)
    client.cluster.config["allow_auto_create_topics"] = False
    return client


def librdkafka_options(settings: KafkaSettings) -> dict[str, Any]:
    """The same as librdkafka calls it. Refuses with KAFKA_CERTIFICATES."""
    access = settings.access
    found: dict[str, Any] = {"bootstrap.servers": ",".join(settings.servers())}
    if access.has_tls:
        tls(access)  # judges the files, for the library says only that it could not
        found |= {
            "security.protocol": access.security_protocol,
            "enable.ssl.certificate.verification": True,
            "ssl.endpoint.identification.algorithm": "https",
        }
        if access.ca_file is not None:
            found["ssl.ca.location"] = str(access.ca_file)
        if access.certificate_file is not None:
            found["ssl.certificate.location"] = str(access.certificate_file)
            found["ssl.key.location"] = str(access.key_file)
    if access.has_login:
        found |= {
            "sasl.mechanism": access.sasl_mechanism,
            "sasl.username": access.username,
            "sasl.password": access.password,
        }
    return found


def tls(access: KafkaAccess) -> ssl.SSLContext:
    """A context that checks who vouches for the broker, its dates, and its name.

    Refuses with KAFKA_CERTIFICATES, every file that cannot be used listed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    faults: list[Fault] = []
    if access.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(access.ca_file)
        except OSError as error:  # ssl.SSLError is one
            faults.append(_unusable("kafka.ca_file", access.ca_file, error))
    if access.certificate_file is not None:
        try:
            # A password of our own: without one a locked key would ask at the terminal.
            context.load_cert_chain(access.certificate_file, access.key_file, password="")
        except OSError as error:
            faults.append(_unusable("kafka.certificate_file", access.certificate_file, error))
    if faults:
        raise Refused("KAFKA_CERTIFICATES", "certificates cannot be used", faults)
    return context


def _unusable(place: str, file: Path, error: OSError) -> Fault:
    if isinstance(error, ssl.SSLError):
        ours = "is not PEM, or the key is locked or of another certificate"
        why = "holds no PEM certificates" if place == "kafka.ca_file" else ours
    else:
        why = str(error.strerror)
    return Fault("FILE_UNUSABLE", place, f"{file}: {why}")
