"""The fuzzing targets with their corpus and changes of it, drawn from the seed of the run."""

import random
from collections.abc import Callable

import pytest

from tests.fire import times
from tests.fuzz import targets

EVERYDAY = {"codec": 800, "journal": 150, "ndjson": 500}
ODD = (b"", b"\0", b"\xff", b"\x80", b"\n", b'"', b"\xff" * 9 + b"\x7f", b"\xfe\xff\xff\xff\x0f")


def _corpus(name: str) -> list[bytes]:
    found = [path.read_bytes() for path in sorted((targets.CORPUS / name).iterdir())]
    assert found, "the corpus is gone"
    return found


def _changed(rng: random.Random, corpus: list[bytes]) -> bytes:
    """One of the corpus with a few things done to it, or two of it joined."""
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + rng.choice([0, 1, 4, 30])] = rng.choice(ODD)
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = data[: rng.randrange(60)]
        else:
            other = rng.choice(corpus)
            data[at:] = other[rng.randrange(len(other) + 1) :]
    return bytes(data)


def _try(target: Callable[[bytes], None], data: bytes) -> None:
    try:
        target(data)
    except BaseException:
        print(f"found: bytes.fromhex({data.hex()!r})")
        raise


@pytest.mark.fire
@pytest.mark.parametrize("name", EVERYDAY)
def test_the_corpus_and_changes_of_it_break_no_promise(name: str, rng: random.Random) -> None:
    corpus = _corpus(name)
    with targets.target(name) as target:
        for data in corpus:
            _try(target, data)
        for _ in range(times(EVERYDAY[name])):
            _try(target, _changed(rng, corpus))


@pytest.mark.parametrize("name", EVERYDAY)
def test_the_corpus_holds_what_it_was_begun_with(name: str) -> None:
    """A contract that changed leaves seeds behind that reach nothing: they are made anew."""
    assert set(targets.seeds(name).values()) <= set(_corpus(name))
