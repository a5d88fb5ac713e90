"""From a client's error to one sentence: which of all that keeps us from Kafka it is.

Owns the code KAFKA_REFUSED; what `kafka_probe` finds has codes of its own.
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
    """Refuses with what a probe finds to be wrong. The clients do not name it: they say that they
    could not bootstrap, whatever the cause.

    KAFKA_UNREACHABLE too where a broker answers the probe: it has come back meanwhile, or clients
    are sent on from it to where nobody answers.
    """
    if found := why_not(settings):
        raise found from error
    what = f"Kafka at {settings.bootstrap_servers!r} answers, and not where it sends its clients"
    advice = "try again, or correct the advertised.listeners of its brokers"
    raise Refused("KAFKA_UNREACHABLE", f"{what} ({type(error).__name__}): {advice}") from error
