"""A TCP line between clients and one broker, which loses what it is told to lose.

Owns the bytes on their way: every request is passed on whole, and an acknowledgement (the answer to
a Produce) is lost when the broker has it written already. Wire format: Kafka protocol guide, "size
api_key api_version correlation_id" before each request, "size correlation_id" before each answer.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

_PRODUCE = 0


class Line:
    """Listens at `port` of this machine and passes on to `target`.

    `cuts` acknowledgements more are lost each with its connection. While `is_silent`, a connection
    whose acknowledgement is lost stays open and brings nothing any more. `lost` counts both.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port, self._target = port, target
        self.cuts, self.lost, self.is_silent = 0, 0, False
        self._guard = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # it was killed: nobody answers
                client.close()
                continue
            one = _Connection(self, client, broker)
            for pump in (one.pass_requests, one.pass_answers):
                threading.Thread(target=pump, daemon=True).start()

    def loses(self) -> str | None:
        """What becomes of the acknowledgement at hand."""
        with self._guard:
            if self.is_silent:
                self.lost += 1
                return "silence"
            if self.cuts:
                self.cuts, self.lost = self.cuts - 1, self.lost + 1
                return "cut"
            return None


class _Connection:
    def __init__(self, line: Line, client: socket.socket, broker: socket.socket) -> None:
        self._line, self._client, self._broker = line, client, broker
        self._sent: set[int] = set()

    def pass_requests(self) -> None:
        for frame in _frames(self._client):
            key, _, correlation = struct.unpack(">hhi", frame[4:12])
            if key == _PRODUCE:
                self._sent.add(correlation)
            with contextlib.suppress(OSError):
                self._broker.sendall(frame)
        self._end()

    def pass_answers(self) -> None:
        is_lost = False
        for frame in _frames(self._broker):
            (correlation,) = struct.unpack(">i", frame[4:8])
            if correlation in self._sent and (what := self._line.loses()):
                if what == "cut":
                    break
                is_lost = True
            if not is_lost:
                with contextlib.suppress(OSError):
                    self._client.sendall(frame)
        self._end()

    def _end(self) -> None:
        for one in (self._client, self._broker):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _frames(source: socket.socket) -> Iterator[bytes]:
    """Whole messages with their size before them, until the connection ends."""
    with contextlib.suppress(OSError), source.makefile("rb") as reading:
        while len(head := reading.read(4)) == 4:
            (size,) = struct.unpack(">i", head)
            if len(body := reading.read(size)) < size:
                return
            yield head + body
