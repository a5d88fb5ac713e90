"""Why a broker does not let us in, asked step by step on a connection of our own.

A client library tries again whatever the cause and in the end says that it could not bootstrap.
Each step here has one cause of failing: TLS, the certificates of either side, the login. Only what
is certain is told: a broker that is on its way down closes connections as one does that was spoken
to in the wrong way, so a wrong way counts as such only when the other way gets an answer. Where
neither does no broker answers.

Wire format: Kafka protocol guide, ApiVersions v0, SaslHandshake v1, SaslAuthenticate v0.
"""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Final

from kafka.net.sasl.scram import ScramClient

from edge import Refused
from edge.kafka_access import KafkaAccess
from eventlog.kafka_options import tls
from eventlog.kafka_settings import KafkaSettings

_API_VERSIONS, _HANDSHAKE, _AUTHENTICATE = (18, 0), (17, 1), (36, 0)
_UNSUPPORTED_MECHANISM, _ILLEGAL_STATE, _FAILED = 33, 34, 58
_ANSWER_MAX: Final = 1 << 20
# X509_V_ERR_* of OpenSSL, as `ssl.SSLCertVerificationError.verify_code`.
_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST: Final = (62, 64)


class _Denied(Exception):
    """The broker says that the login failed."""


class _Silent(Exception):
    """The broker closed the connection, or sent what no broker sends."""


# A name that no host can have is a ValueError to `socket` and `ssl`.
_NO_ANSWER: Final = (_Silent, OSError, ValueError)


def why_not(settings: KafkaSettings) -> Refused | None:
    """What keeps us out, KAFKA_UNREACHABLE where no broker answers; None where one of them has
    nothing against us. Each step waits for `settings.timeout_s` at most.

    The message holds neither password nor anything that the broker sent. Refuses with
    KAFKA_CERTIFICATES, before anybody is asked.
    """
    context = tls(settings.access) if settings.access.has_tls else None
    found: list[Refused] = []
    for server in settings.servers():
        host, _, port = server.rpartition(":")
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            continue
        try:
            reason = _why_not(settings, server, (host.strip("[]"), int(port)), context)
        except _NO_ANSWER:
            continue
        if reason is None:
            return None
        found.append(reason)
    return found[0] if found else _nobody(settings)


def _nobody(settings: KafkaSettings) -> Refused:
    return Refused(
        "KAFKA_UNREACHABLE",
        f"no Kafka broker answers at {settings.bootstrap_servers!r}: "
        "start it, or correct bootstrap_servers in homemeeting.toml",
    )


def _why_not(
    settings: KafkaSettings, server: str, address: tuple[str, int], context: ssl.SSLContext | None
) -> Refused | None:
    """Raises what is in _NO_ANSWER where it is not certain."""
    access = settings.access
    try:
        with _connected(address, settings) as plain:
            if context is None:
                return _plain(settings, server, address, plain)
            with _secured(plain, context, address[0]) as secured:
                _ask(secured, _API_VERSIONS, b"")
                return _login(access, server, secured)
    except ssl.SSLCertVerificationError as error:
        return _broker_certificate(error, server, access)
    except ssl.SSLError as error:
        if "ALERT" in (error.reason or ""):
            return _our_certificate(error, server, access)
        return _no_tls(settings, server, address)
    except (_Silent, OSError):
        if context is None:
            raise
        return _no_tls(settings, server, address)


def _plain(
    settings: KafkaSettings, server: str, address: tuple[str, int], plain: socket.socket
) -> Refused | None:
    """Without TLS: whether the broker wants it, or a login."""
    try:
        _ask(plain, _API_VERSIONS, b"")
        return _login(settings.access, server, plain)
    except (_Silent, OSError):
        if not _speaks_tls(settings, address):
            raise
        message = f"{server} speaks TLS alone: set kafka.security_protocol to SSL or SASL_SSL"
        return Refused("KAFKA_NEEDS_TLS", message)


def _no_tls(settings: KafkaSettings, server: str, address: tuple[str, int]) -> Refused:
    with _connected(address, settings) as plain:
        _ask(plain, _API_VERSIONS, b"")
    message = f"{server} is a plaintext port and speaks no TLS: give the port of its listener"
    protocol = settings.access.security_protocol
    return Refused("KAFKA_NO_TLS", f"{message} for {protocol}; nothing was sent in the clear")


def _speaks_tls(settings: KafkaSettings, address: tuple[str, int]) -> bool:
    """Whether a handshake begins well. Nothing is sent over it, hence nobody need vouch for it."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    try:
        with _connected(address, settings) as plain, _secured(plain, anybody, address[0]):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")


def _broker_certificate(
    error: ssl.SSLCertVerificationError, server: str, access: KafkaAccess
) -> Refused:
    if error.verify_code in (_EXPIRED, _NOT_YET):
        what = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        message = f"the certificate of {server} {what}: renew it, or set this machine's clock"
        return Refused("KAFKA_CERTIFICATE_EXPIRED", message)
    if error.verify_code in _OTHER_HOST:
        message = (
            f"the certificate of {server} is for another host: give the name that stands in it"
        )
        return Refused("KAFKA_WRONG_HOST", message)
    who = "this machine's list" if access.ca_file is None else str(access.ca_file)
    message = (
        f"nobody in {who} vouches for the certificate of {server}: set kafka.ca_file to its CA"
    )
    return Refused("KAFKA_WRONG_CA", message)


def _our_certificate(error: ssl.SSLError, server: str, access: KafkaAccess) -> Refused:
    if access.certificate_file is None:
        message = f"{server} wants a certificate of ours: set kafka.certificate_file and key_file"
        return Refused("KAFKA_CERTIFICATE_WANTED", message)
    file = access.certificate_file
    message = f"{server} does not take {file}: it has expired, or is of a CA that it does not trust"
    return Refused("KAFKA_CERTIFICATE_REFUSED", message)


def _login(access: KafkaAccess, server: str, link: socket.socket) -> Refused | None:
    """Tries the login. Without one it asks the broker whether it wants one: where none is wanted,
    a handshake is out of place.
    """
    mechanism = access.sasl_mechanism.encode()
    answer = _ask(link, _HANDSHAKE, struct.pack(">h", len(mechanism)) + mechanism)
    code = _code(answer)
    if not access.has_login:
        if code not in (0, _UNSUPPORTED_MECHANISM):
            return None
        message = f"{server} wants a login: set kafka.security_protocol, username, password_file"
        return Refused("KAFKA_LOGIN_WANTED", message)
    if code == _UNSUPPORTED_MECHANISM:
        message = f"{server} does not offer {access.sasl_mechanism}: set kafka.sasl_mechanism"
        return Refused("KAFKA_MECHANISM", message)
    if code == _ILLEGAL_STATE:
        message = f"{server} takes no password: give the port of its listener for SASL_SSL"
        return Refused("KAFKA_NO_LOGIN", message)
    scram = ScramClient(access.username, access.password, access.sasl_mechanism)
    try:
        first = _step(link, scram.first_message())
        try:
            scram.process_server_first_message(first)
        except (ValueError, KeyError) as error:
            raise _Silent from error
        _step(link, scram.final_message())
    except _Denied:
        message = f"{server} does not take the password of {access.username!r}: it is wrong or was"
        return Refused("KAFKA_LOGIN", f"{message} changed, or there is no such user")
    return None


def _step(link: socket.socket, token: bytes) -> bytes:
    """One message of the login. Raises _Denied."""
    answer = _ask(link, _AUTHENTICATE, struct.pack(">i", len(token)) + token)
    if _code(answer) == _FAILED:
        raise _Denied
    if _code(answer):
        raise _Silent
    try:
        (said,) = struct.unpack_from(">h", answer, 2)
        at = 4 + max(said, 0)
        (length,) = struct.unpack_from(">i", answer, at)
    except struct.error as error:
        raise _Silent from error
    return answer[at + 4 : at + 4 + length]


def _code(answer: bytes) -> int:
    if len(answer) < 2:
        raise _Silent
    (code,) = struct.unpack_from(">h", answer)
    return int(code)


def _ask(link: socket.socket, api: tuple[int, int], body: bytes) -> bytes:
    """The answer behind its correlation id. Raises _Silent, or OSError."""
    request = struct.pack(">hhih", *api, 7, -1) + body  # client id: null
    link.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _exactly(link, 4))
    if not 4 <= length <= _ANSWER_MAX:
        raise _Silent
    answer = _exactly(link, length)
    if answer[:4] != struct.pack(">i", 7):
        raise _Silent
    return answer[4:]


def _exactly(link: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = link.recv(length - len(found))
        if not more:
            raise _Silent
        found += more
    return found


@contextlib.contextmanager
def _connected(address: tuple[str, int], settings: KafkaSettings) -> Iterator[socket.socket]:
    with socket.create_connection(address, settings.timeout_s) as link:
        yield link


@contextlib.contextmanager
def _secured(link: socket.socket, context: ssl.SSLContext, host: str) -> Iterator[ssl.SSLSocket]:
    with context.wrap_socket(link, server_hostname=host) as secured:
        yield secured
