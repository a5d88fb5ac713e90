"""Instants: UTC microseconds since 1970, which we keep and reckon with, and times as `datetime`."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant(us: int) -> datetime:
    """UTC microseconds since 1970 as a time that can be written."""
    return _EPOCH + us * _MICROSECOND


def micros(moment: datetime) -> int:
    """A time as UTC microseconds since 1970, exactly; one without a zone is of UTC."""
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) // _MICROSECOND
