"""What to do, the most certain first: full servers, worse versions, worse servers, then regions
that got worse or are poor as a whole, then whom it hits.

What a version or a server explains is not told again of its servers or its region.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from tuning.line import Key, Line, share
from tuning.outliers import POOR_MAX, SAMPLES_MIN, Outlier, is_worse

LOAD_MAX = 0.8
_SERVERS_MIN = 2  # of one server alone nobody can say that it is the version


@dataclass(frozen=True, slots=True)
class Action:
    """What to do about `name`, and the evidence. `region` is empty where it is not of one."""

    dimension: str
    region: str
    name: str
    what: str
    evidence: str

    @property
    def key(self) -> Key:
        return self.dimension, self.region, self.name

    @property
    def subject(self) -> str:
        """For people: what or whom it is about."""
        if self.dimension == "server":
            return f"{self.name} in {self.region}"
        if self.dimension in ("region", "period"):
            return self.region
        return f"{self.dimension} {self.name}"


@dataclass(frozen=True, slots=True)
class Stint:
    """What one server measured with one version in one period that begins on `period`."""

    region: str
    server: str
    version: str
    period: date
    first: datetime
    samples: int
    poor: int


def actions(
    lines: Iterable[Line], found: Iterable[Outlier], stints: Iterable[Stint]
) -> tuple[Action, ...]:
    told, all_found, all_stints = tuple(lines), tuple(found), tuple(stints)
    versions = _worse_versions(told, all_found, all_stints)
    sane = [at for at in all_stints if at.version not in versions]
    kept = {(at.region, at.server) for at in sane}
    servers = {
        key: outliers
        for key, outliers in _by(all_found, "server").items()
        if key in kept or key not in {(at.region, at.server) for at in all_stints}
    }
    sane = [at for at in sane if (at.region, at.server) not in servers]
    return (
        *_full(told),
        *versions.values(),
        *(_drain(key, outliers, all_stints) for key, outliers in servers.items()),
        *_since(all_found),
        *_poor_regions(told, sane),
        *_hit(all_found),
    )


def _by(found: Sequence[Outlier], dimension: str) -> dict[tuple[str, str], list[Outlier]]:
    """The outliers of one dimension by region and name, in their order."""
    groups: dict[tuple[str, str], list[Outlier]] = {}
    for each in found:
        if each.dimension == dimension:
            groups.setdefault((each.region, each.name), []).append(each)
    return groups


def _sentences(found: Iterable[Outlier]) -> str:
    return "; ".join(each.sentence for each in found)


def _full(told: Sequence[Line]) -> Iterator[Action]:
    full = [line for line in told if line.dimension == "server" and (line.load or 0) >= LOAD_MAX]
    for line in sorted(full, key=lambda line: (-(line.load or 0), line.region, line.name)):
        evidence = f"{line.load or 0:.0%} of capacity in its fullest hour; peak {line.peak}"
        when = f" at {line.peak_at:%Y-%m-%d %H:%M}" if line.peak_at else ""
        yield Action(
            "server", line.region, line.name, "Add capacity or spread its meetings", evidence + when
        )


def _worse_versions(
    told: Sequence[Line], found: Sequence[Outlier], stints: Sequence[Stint]
) -> dict[str, Action]:
    """Versions that are worse in every region where others run too, on two servers or more. Where
    a single one of its servers stands out, it is that server and not the version.
    """
    releases = _by(found, "release")
    regions = {line.name: line for line in told if line.dimension == "region"}
    comparable: dict[str, list[str]] = {}
    for line in told:
        rest = regions[line.region].samples - line.samples if line.dimension == "release" else 0
        if min(line.samples, rest) >= SAMPLES_MIN:
            comparable.setdefault(line.name, []).append(line.region)
    done = {}
    for version, where in sorted(comparable.items()):
        own = [at for at in stints if at.version == version]
        servers = {(at.region, at.server) for at in own}
        odd = servers & _by(found, "server").keys()
        if all((region, version) in releases for region in where) and (
            len(servers) >= _SERVERS_MIN and len(odd) != 1
        ):
            first = min(at.first for at in own)
            evidence = "; ".join(
                f"{region}: {releases[region, version][0].sentence}" for region in where
            )
            seen = f"on {len(servers)} servers, first seen {first:%Y-%m-%d %H:%M}"
            done[version] = Action("version", "", version, "Roll it back", f"{seen}; {evidence}")
    return done


def _drain(key: tuple[str, str], found: Sequence[Outlier], stints: Sequence[Stint]) -> Action:
    evidence = _sentences(found)
    since = _poor_since(key, stints)
    if since is not None:
        evidence += f"; poor since {since}"
    return Action("server", *key, "Drain it and check its host and network", evidence)


def _poor_since(key: tuple[str, str], stints: Sequence[Stint]) -> date | None:
    """The first of the periods, without a break up to the last, in which it had more poor samples
    than the rest of its region; None where the last one is no worse.
    """
    region = sorted((at for at in stints if at.region == key[0]), key=lambda at: at.period)
    since = None
    for period, group in groupby(reversed(region), key=lambda at: at.period):
        sides = {True: [0, 0], False: [0, 0]}
        for at in group:
            side = sides[at.server == key[1]]
            side[0] += at.poor
            side[1] += at.samples
        own, rest = share(*sides[True]), share(*sides[False])
        if own is None or rest is None or not is_worse("poor_share", own, rest):
            break
        since = period
    return since


def _since(found: Sequence[Outlier]) -> Iterator[Action]:
    """Regions that got worse within the range: the first period that was, and how."""
    periods = sorted(_by(found, "period").items())
    for region, group in groupby(periods, key=lambda at: at[0][0]):
        (_, first), outliers = next(group)
        what = f"Find out what changed there about {first}"
        yield Action("period", region, first, what, _sentences(outliers))


def _poor_regions(told: Sequence[Line], sane: Sequence[Stint]) -> Iterator[Action]:
    """Regions that are poor without the servers and versions that were told already."""
    for line in told:
        if line.dimension != "region":
            continue
        rest = [at for at in sane if at.region == line.name]
        samples = sum(at.samples for at in rest)
        poor = share(sum(at.poor for at in rest), samples) or 0
        if samples >= SAMPLES_MIN and poor >= POOR_MAX:
            evidence = f"{poor:.1%} of {samples:,} samples are poor; {_state(line)}"
            yield Action("region", line.name, line.name, _cure(line), evidence)


def _hit(found: Sequence[Outlier]) -> Iterator[Action]:
    cures: Mapping[str, str] = {
        "network": "Send it less, and more robustly: lower bitrate, error correction",
        "client": "Ask its developers, or have it updated",
    }
    for dimension, what in cures.items():
        for (region, name), outliers in _by(found, dimension).items():
            yield Action(dimension, region, name, what, _sentences(outliers))


def _state(line: Line) -> str:
    return (
        f"RTT p95 {line.rtt_ms.p95 or 0:.0f} ms, loss p95 {line.loss_ratio.p95 or 0:.1%},"
        f" jitter p95 {line.jitter_ms.p95 or 0:.0f} ms"
    )


def _cure(line: Line) -> str:
    """By the limit of the rule that the region's p95 is nearest to or furthest beyond."""
    strain = {
        "Bring servers nearer: its RTT is long": (line.rtt_ms.p95 or 0) / 500,
        "Check its transit and uplinks: packets get lost": (line.loss_ratio.p95 or 0) / 0.1,
        "Check its links for congestion: jitter is high": (line.jitter_ms.p95 or 0) / 30,
    }
    return max(strain, key=lambda what: strain[what])
