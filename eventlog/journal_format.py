"""The bytes of a journal segment: an Avro object container file whose records are message values.

Owns header and blocks, their making and their proof; knows no directories and no locks. Codec
snappy, because its blocks carry a CRC-32 of the uncompressed data by the Avro specification. The
sync marker is a function of the segment's place, so that a damaged header costs no block.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cramjam

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
BLOCK_BYTES_MAX = 64 * 1024 * 1024
_VARINT_BYTES_MAX = 10


class Torn(Exception):
    """The bytes end before the block does: still being written, or cut by a crash."""


class Damaged(Exception):
    """A whole block is there and is not what was written.

    `end` is where it ends if its data proved good and only the marker after it did not.
    """

    def __init__(self, reason: str, end: int | None = None) -> None:
        self.end = end
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Block:
    """The message values of one block, and the place after it in the file."""

    payloads: list[bytes]
    end: int


def sync_marker(source: str, topic: str, first: int) -> bytes:
    """The 16 bytes that end every block of the segment beginning with sequence `first`."""
    place = f"{source}\n{topic}\n{first}".encode()
    return hashlib.blake2b(place, digest_size=SYNC_BYTES).digest()


def header(source: str, topic: str, first: int) -> bytes:
    """The container header: a pure function of the segment's place, hence verifiable."""
    entries = {
        "avro.schema": b'"bytes"',
        "avro.codec": b"snappy",
        "homemeeting.source": source.encode(),
        "homemeeting.topic": topic.encode(),
        "homemeeting.first": str(first).encode(),
    }
    parts = [MAGIC, _varint(len(entries))]
    for key, value in entries.items():
        parts += [_octets(key.encode()), _octets(value)]
    return b"".join([*parts, _varint(0), sync_marker(source, topic, first)])


def block(payloads: Sequence[bytes], sync: bytes) -> bytes:
    """One block: count, size, snappy data with the big-endian CRC-32 of what it holds, sync."""
    plain = b"".join(map(_octets, payloads))
    packed = bytes(cramjam.snappy.compress_raw(plain))
    data = packed + zlib.crc32(plain).to_bytes(4, "big")
    return b"".join([_varint(len(payloads)), _varint(len(data)), data, sync])


def read_block(data: memoryview, at: int, sync: bytes) -> Block:
    """The block at `at`, proven by checksum, count and sync marker.

    Raises Torn where `data` ends too early, Damaged where the proof fails.
    """
    count, at = _read_varint(data, at)
    size, at = _read_varint(data, at)
    if count < 1 or not 4 <= size <= BLOCK_BYTES_MAX:
        raise Damaged("the block's count or size cannot be")
    end = at + size + SYNC_BYTES
    if end > len(data):
        raise Torn("the block ends after the file")
    if data[at + size : end] == sync:
        return Block(_records(data[at : at + size], count), end)
    _records(data[at : at + size], count)
    raise Damaged("the block does not end with its sync marker", end)


def _records(data: memoryview, count: int) -> list[bytes]:
    plain_bytes, _ = _unsigned(data[:-4], 0)
    if plain_bytes > BLOCK_BYTES_MAX:  # refused before anything of that size is allocated
        raise Damaged("the block claims to hold more than a block may")
    try:
        plain = bytes(cramjam.snappy.decompress_raw(bytes(data[:-4])))
    except Exception as error:  # cramjam's own error type is not exported
        raise Damaged("the block's data cannot be unpacked") from error
    if zlib.crc32(plain) != int.from_bytes(data[-4:], "big"):
        raise Damaged("the block's checksum does not agree with its data")
    payloads = list(_split(plain))
    if len(payloads) != count:
        raise Damaged("the block does not hold as many records as it says")
    return payloads


def _split(plain: bytes) -> Iterator[bytes]:
    view, at = memoryview(plain), 0
    while at < len(plain):
        # Nearly every length takes two octets, the general way four calls.
        if at + 1 < len(plain) and plain[at] >= 0x80 > plain[at + 1] and not plain[at] & 1:
            length, at = (plain[at] & 0x7F | plain[at + 1] << 7) >> 1, at + 2
        else:
            length, at = _read_varint(view, at)
        if not 0 <= length <= len(plain) - at:
            raise Damaged("a record ends after its block")
        yield plain[at : at + length]
        at += length


def _octets(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """A count as Avro's zig-zag variable-length long; counts are never negative."""
    assert value >= 0
    rest, out = value << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value, at = _unsigned(data, at)
    return (value >> 1) ^ -(value & 1), at


def _unsigned(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for count in range(_VARINT_BYTES_MAX):
        if at + count >= len(data):
            raise Torn("a length ends after the file")
        byte = data[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    raise Damaged("a length has more than ten bytes")
