"""What listens where a broker should be and is none: it says what a test tells it to.

Owns the listening, with TLS or without, and the frames of an answer: "size correlation_id body"
(Kafka protocol guide).
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket], object]


@contextlib.contextmanager
def listening(talk: Talk, store: str | None = None) -> Iterator[str]:
    """`host:port`; `talk` has each connection, which ends with it. `store` is a file of the key and
    certificate of TLS.
    """
    context = None
    if store is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(store)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, context, talk), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)  # ends the waiting for the next


def _accept(server: socket.socket, context: ssl.SSLContext | None, talk: Talk) -> None:
    while True:
        try:
            link, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(link, context, talk), daemon=True).start()


def _serve(link: socket.socket, context: ssl.SSLContext | None, talk: Talk) -> None:
    with contextlib.suppress(OSError), link:
        link.settimeout(120)
        if context is None:
            talk(link)
        else:
            with context.wrap_socket(link, server_side=True) as secured:
                talk(secured)


def answers(*bodies: bytes | None) -> Talk:
    """Answers so many requests, then no more; None answers another request than was sent."""

    def talk(link: socket.socket) -> None:
        with link.makefile("rb") as reading:
            for body in bodies:
                head = reading.read(12)
                if len(head) < 12:
                    return
                size, _, correlation = struct.unpack(">iii", head)
                reading.read(size - 8)
                told = struct.pack(">i", correlation + (body is None)) + (body or b"")
                link.sendall(struct.pack(">i", len(told)) + told)

    return talk
