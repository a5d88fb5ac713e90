"""A coverage-guided run of one target, by atheris, where that is installed beside us:

    python -m tests.fuzz.guided codec FOLDER -max_total_time=600 [more of libFuzzer's options]

What reaches new code is kept in FOLDER. A finding is written as a file: put it into
`tests/fuzz/corpus/TARGET/`, where every run meets it.
"""

import sys

import atheris  # not among our dependencies: pip install atheris

with atheris.instrument_imports(include=["schemas", "eventlog", "producers", "edge", "fastavro"]):
    from tests.fuzz import targets


def main() -> None:
    name, options = sys.argv[1], sys.argv[2:]
    known = targets.CORPUS / name
    with targets.target(name) as found:
        atheris.Setup([sys.argv[0], *options, str(known)], found)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
