"""The bytes of a journal segment: an Avro object container file whose records are message values.

Owns header and blocks, their making and their proof, for the archive's segments too; knows no
directories and no locks. Codec snappy, because its blocks carry a CRC-32 of the uncompressed data
by the Avro specification. The sync marker is a function of the segment's place, so that a damaged
header costs no block.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cramjam

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
BLOCK_BYTES_MAX = 64 * 1024 * 1024
# Octets of snappy hold 21 times as many records of nothing, each of which costs memory.
BLOCK_RECORDS_MAX = 100_000
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
    told = {"source": source, "topic": topic, "first": str(first)}
    return container_header('"bytes"', told, sync_marker(source, topic, first))


def container_header(schema: str, told: Mapping[str, str], sync: bytes) -> bytes:
    """The header of a container with codec snappy; `told` goes into its metadata."""
    entries = {"avro.schema": schema, "avro.codec": "snappy"}
    entries |= {f"homemeeting.{key}": value for key, value in told.items()}
    parts = [MAGIC, varint(len(entries))]
    for key, value in entries.items():
        parts += [octets(key.encode()), octets(value.encode())]
    return b"".join([*parts, varint(0), sync])


def block(payloads: Sequence[bytes], sync: bytes) -> bytes:
    """One block of message values: none, or more than it may hold, is a programmer's fault."""
    assert 0 < len(payloads) <= BLOCK_RECORDS_MAX, f"{len(payloads)} records in one block"
    assert sum(map(len, payloads)) <= BLOCK_BYTES_MAX - 10 * len(payloads), "too large a block"
    return pack(len(payloads), b"".join(map(octets, payloads)), sync)


def pack(count: int, plain: bytes, sync: bytes) -> bytes:
    """One block: count, size, snappy data with the big-endian CRC-32 of what it holds, sync."""
    packed = bytes(cramjam.snappy.compress_raw(plain))
    data = packed + zlib.crc32(plain).to_bytes(4, "big")
    return b"".join([varint(count), varint(len(data)), data, sync])


def read_block(data: memoryview, at: int, sync: bytes) -> Block:
    """The block at `at`, proven by checksum, count and sync marker.

    Raises Torn where `data` ends too early, Damaged where the proof fails.
    """
    count, plain, end = unpack(data, at, sync)
    payloads, after = split(plain, 0, count)
    if after != len(plain):
        raise Damaged("the block does not hold as many records as it says")
    return Block(payloads, end)


def unpack(data: memoryview, at: int, sync: bytes) -> tuple[int, bytes, int]:
    """The block at `at`, proven by checksum and sync marker: records, their bytes, where it ends.

    Raises Torn where `data` ends too early, Damaged where the proof fails.
    """
    count, at = read_varint(data, at)
    size, at = read_varint(data, at)
    if not 1 <= count <= BLOCK_RECORDS_MAX or not 4 <= size <= BLOCK_BYTES_MAX:
        raise Damaged("the block's count or size cannot be")
    end = at + size + SYNC_BYTES
    if end > len(data):
        raise Torn("the block ends after the file")
    plain = _plain(data[at : at + size])
    if data[at + size : end] != sync:
        raise Damaged("the block does not end with its sync marker", end)
    return count, plain, end


def _plain(data: memoryview) -> bytes:
    plain_bytes, _ = _unsigned(data[:-4], 0)
    if plain_bytes > BLOCK_BYTES_MAX:  # refused before anything of that size is allocated
        raise Damaged("the block claims to hold more than a block may")
    try:
        plain = bytes(cramjam.snappy.decompress_raw(bytes(data[:-4])))
    except Exception as error:  # cramjam's own error type is not exported
        raise Damaged("the block's data cannot be unpacked") from error
    if zlib.crc32(plain) != int.from_bytes(data[-4:], "big"):
        raise Damaged("the block's checksum does not agree with its data")
    return plain


def split(plain: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """The `count` values with their lengths that begin at `at`, and the place after them."""
    view, found = memoryview(plain), []
    for _ in range(count):
        # Nearly every length takes two octets, the general way four calls.
        if at + 1 < len(plain) and plain[at] >= 0x80 > plain[at + 1] and not plain[at] & 1:
            length, at = (plain[at] & 0x7F | plain[at + 1] << 7) >> 1, at + 2
        elif at < len(plain):
            length, at = read_varint(view, at)
        else:
            raise Damaged("the block does not hold as many records as it says")
        if not 0 <= length <= len(plain) - at:
            raise Damaged("a record ends after its block")
        found.append(plain[at : at + length])
        at += length
    return found, at


def octets(value: bytes) -> bytes:
    return varint(len(value)) + value


def varint(value: int) -> bytes:
    """Avro's zig-zag variable-length long; 64 bits at most."""
    rest, out = (value << 1) ^ (value >> 63), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
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
