"""Many Avro datums of one record schema at once, as Arrow columns.

Each row is read within its own bounds, so a bad one cannot shift its neighbours: it is only said
to be unread. Knows records of longs, doubles, strings, enums and fixeds, each perhaps nullable.
Formulas: variable-length zig-zag coding of longs (Avro 1.11, Binary Encoding), eight octets at a
time within a 64-bit word; Arrow's layout of string views (Columnar Format 1.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Longs = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Kind = Literal["long", "double", "string", "enum", "fixed"]

_PADDING = 24  # a word may be read at the very end, and the word after it
_INLINE = 12  # a string view holds shorter strings itself


def _u64(value: int) -> np.uint64:
    return np.uint64(value)


_ONE = _u64(1)
_MORE = _u64(0x8080808080808080)  # the bit of each octet that says that another follows
# Three steps that close the gap above each 7, 14, 28 bits: (bits that stay, bits that move, by).
_CLOSING = (
    (_u64(0x007F007F007F007F), _u64(0x7F007F007F007F00), _u64(1)),
    (_u64(0x00003FFF00003FFF), _u64(0x3FFF00003FFF0000), _u64(2)),
    (_u64(0x000000000FFFFFFF), _u64(0x0FFFFFFF00000000), _u64(4)),
)
# By a string's length, capped: which bits of a view's two words are its own octets.
_SIZES = range(_INLINE + 2)
_HEADS = np.array([(1 << 8 * min(n, 4)) - 1 << 32 for n in _SIZES], np.uint64)
_TAILS = np.array([(1 << 8 * (n - 4)) - 1 if 4 < n <= _INLINE else 0 for n in _SIZES], np.uint64)
_PLACES = np.array([0 if n <= _INLINE else (1 << 64) - 1 for n in _SIZES], np.uint64)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `size`: octets of a fixed. `null`: the union's branch that is null."""

    name: str
    kind: Kind
    size: int = 0
    symbols: tuple[str, ...] = ()
    null: int | None = None

    def takes(self, other: "Field") -> bool:
        """Whether each value of `other` is, as it is, a value of this field."""
        return (
            (self.kind, self.size) == (other.kind, other.size)
            and set(other.symbols) <= set(self.symbols)
            and (self.null is not None or other.null is None)
        )


def fields_of(schema: Any) -> tuple[Field, ...] | None:
    """The fields of a record schema as fastavro parses it; None where one is of another kind."""
    named: dict[str, Any] = {}
    found = [_field(one["name"], one["type"], named) for one in schema["fields"]]
    fields = tuple(one for one in found if one is not None)
    return fields if len(fields) == len(found) else None


def _field(name: str, kind: Any, named: dict[str, Any]) -> Field | None:
    null = None
    if isinstance(kind, list):
        if len(kind) != 2 or "null" not in kind:
            return None
        null = kind.index("null")
        kind = kind[1 - null]
    if isinstance(kind, dict) and "name" in kind:
        named[kind["name"]] = kind
    kind = named.get(kind, kind) if isinstance(kind, str) else kind
    plain = kind["type"] if isinstance(kind, dict) else kind
    if plain not in ("long", "double", "string", "enum", "fixed"):
        return None
    more = kind if isinstance(kind, dict) else {}
    return Field(name, plain, more.get("size", 0), tuple(more.get("symbols", ())), null)


class Octets:
    """Message values end to end: value i lies in `data` from `begins[i]` up to `ends[i]`."""

    def __init__(self, values: Sequence[bytes]) -> None:
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        self.data = np.frombuffer(b"".join([*values, bytes(_PADDING)]), np.uint8)
        self.ends: Longs = np.cumsum(lengths)
        self.begins: Longs = self.ends - lengths
        words = len(self.data) - 7
        self._words = np.ndarray((words,), "<u8", self.data, strides=(1,))

    def words(self, at: Longs) -> Words:
        """The eight octets from each place on, little-endian."""
        found: Words = self._words[at]
        return found


def read(
    fields: Sequence[Field], octets: Octets, rows: Longs, begin: int
) -> tuple[dict[str, pa.Array], Mask]:
    """The columns of `rows`, whose datums begin `begin` octets after their values do.

    The mask tells the rows that were read to their very end. The others hold anything that their
    types allow; so do, for safety, values that this reader leaves to a slower one: longs of more
    than eight octets, that is beyond ±2^55.
    """
    reader = _Reader(octets, rows, begin)
    columns = {field.name: reader.column(field) for field in fields}
    return columns, reader.good & (reader.at == reader.ends)


class _Reader:
    """Where reading stands in each row, and which rows are good so far."""

    def __init__(self, octets: Octets, rows: Longs, begin: int) -> None:
        self._octets = octets
        self.ends = octets.ends[rows]
        self.at: Longs = octets.begins[rows] + begin
        self.good: Mask = self.at <= self.ends
        self._clip()

    def column(self, field: Field) -> pa.Array:
        if field.null is None:
            return self._value(field, None)
        branch = self._long()
        self.good &= (branch == 0) | (branch == 1)
        before, good = self.at, self.good.copy()
        present = branch != field.null
        value = self._value(field, present)
        self.at = np.where(present, self.at, before)
        self.good = np.where(present, self.good, good)
        return value

    def _value(self, field: Field, present: Mask | None) -> pa.Array:
        if field.kind == "long":
            return _array(pa.int64(), self._long(), present)
        if field.kind == "double":
            return _array(pa.float64(), self._skip(8)[0], present)
        if field.kind == "fixed":
            return _array(pa.binary(field.size), self._fixed(field.size), present)
        if field.kind == "enum":
            return self._enum(field.symbols, present)
        return self._string(present)

    def _long(self) -> Longs:
        word = self._octets.words(self.at)
        stops = ~word & _MORE
        self.good &= stops != 0
        lowest = stops & (~stops + _ONE)
        # Octets up to the first that nothing follows; no row without one is looked at again.
        word &= (lowest << _ONE) - _ONE
        word &= ~_MORE
        for stay, move, by in _CLOSING:
            word = (word & stay) | ((word & move) >> by)
        length = np.bitwise_count(lowest - _ONE).astype(np.int64) + 1 >> 3
        self._step(length)
        value: Longs = (word >> _ONE).view(np.int64) ^ -(word & _ONE).view(np.int64)
        return value

    def _skip(self, size: int) -> list[Words]:
        """The words that hold the next `size` octets."""
        found = [self._octets.words(np.minimum(self.at + n, self.ends)) for n in range(0, size, 8)]
        self._step(size)
        return found

    def _fixed(self, size: int) -> npt.NDArray[np.uint8]:
        words = np.stack(self._skip(size), axis=1).view(np.uint8)
        return np.ascontiguousarray(words[:, :size])

    def _enum(self, symbols: Sequence[str], present: Mask | None) -> pa.Array:
        index = self._long()
        known = (index >= 0) & (index < len(symbols))
        self.good &= known
        codes = _array(pa.int32(), np.where(known, index, 0).astype(np.int32), present)
        return pa.DictionaryArray.from_arrays(codes, pa.array(symbols)).cast(pa.string())

    def _string(self, present: Mask | None) -> pa.Array:
        length = self._long()
        self.good &= (length >= 0) & (length <= self.ends - self.at)
        wanted = self.good if present is None else self.good & present
        length = np.where(wanted, length, 0)
        views = self._views(length, present)
        try:
            text = views.cast(pa.string())  # proves that it is UTF-8
        except pa.ArrowInvalid:
            is_text = np.array([one is None or _is_utf8(one) for one in views.to_pylist()])
            self.good &= is_text
            text = self._views(np.where(is_text, length, 0), present).cast(pa.string())
        self._step(length)
        return text

    def _views(self, length: Longs, present: Mask | None) -> pa.Array:
        size = np.minimum(length, _INLINE + 1)
        views = np.empty((len(length), 2), np.uint64)
        views[:, 0] = length.view(np.uint64)
        views[:, 0] |= (self._octets.words(self.at) << _u64(32)) & _HEADS[size]
        views[:, 1] = self._octets.words(self.at + 4) & _TAILS[size]
        views[:, 1] |= (self.at.view(np.uint64) << _u64(32)) & _PLACES[size]
        data = pa.py_buffer(self._octets.data)
        return pa.Array.from_buffers(
            pa.binary_view(), len(length), [_bitmap(present), pa.py_buffer(views), data]
        )

    def _step(self, size: Longs | int) -> None:
        self.at = self.at + size
        self.good &= self.at <= self.ends
        self._clip()

    def _clip(self) -> None:
        """Bad rows stay within their bounds, so that whatever is read there exists."""
        np.minimum(self.at, self.ends, out=self.at)


def _array(kind: pa.DataType, values: npt.NDArray[Any], present: Mask | None) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [_bitmap(present), pa.py_buffer(values)])


def _bitmap(present: Mask | None) -> pa.Buffer | None:
    return None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
