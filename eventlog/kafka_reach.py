"""From a client's error to one sentence: which of all that keeps us from Kafka it is.

Owns the codes KAFKA_UNREACHABLE and KAFKA_REFUSED; what `kafka_probe` finds has codes of its own.
"""

import contextlib
from collections.abc import Iterator
from typing import NoReturn

from kafka.errors import (
    BrokerResponseError,
    KafkaError,
    KafkaTimeoutError,
    RetriableError,
    SaslAuthenticationFailedError,
)

from edge import Refused
from eventlog.kafka_probe import why_not
from eventlog.kafka_settings import KafkaSettings


@contextlib.contextmanager
def reaching(settings: KafkaSettings) -> Iterator[None]:
    """Turns the client's errors into one sentence, as `unreachable`, or KAFKA_REFUSED."""
    try:
        yield
    except (OSError, ValueError) as error:
        unreachable(settings, error)
    except KafkaError as error:
        answered = isinstance(error, BrokerResponseError) and not isinstance(error, RetriableError)
        if answered and not isinstance(error, KafkaTimeoutError | SaslAuthenticationFailedError):
            raise Refused(
                "KAFKA_REFUSED", f"Kafka at {settings.bootstrap_servers} refused: {error}"
            ) from error
        unreachable(settings, error)


def unreachable(settings: KafkaSettings, error: Exception) -> NoReturn:
    """Refuses with what a probe finds to be wrong, else with KAFKA_UNREACHABLE.

    The clients name neither: they say that they could not bootstrap, whatever the cause.
    """
    if found := why_not(settings):
        raise found from error
    raise Refused(
        "KAFKA_UNREACHABLE",
        f"no Kafka broker answers at {settings.bootstrap_servers!r} ({type(error).__name__}): "
        "start it, or correct bootstrap_servers in homemeeting.toml",
    ) from error
