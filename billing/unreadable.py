"""What the books have that cannot even be read: named by document, and in nobody else's way.

Owns how such documents are found among many. A value that was altered may be of any kind, and fail
in any way, so every failure counts that is not one of the machine or of the home.
"""

from collections.abc import Callable, Sequence

from billing.record_check import Finding
from edge import Fault, Refused


def each_readable(
    ids: Sequence[str], check: Callable[[Sequence[str]], list[Finding]], code: str, what: str
) -> list[Finding]:
    """What is found of these documents; where that fails, of fewer and fewer of them, until it is
    known which ones cannot be read: these are told by `code`, and `what` cannot be done.
    """
    try:
        return check(ids)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, Refused) and error.code != "BAD_MONTH":
            raise
        if len(ids) > 1:
            middle = len(ids) // 2
            parts = (ids[:middle], ids[middle:])
            return [one for part in parts for one in each_readable(part, check, code, what)]
        why = " ".join(str(error).split()) or "it makes no sense"
        message = f"{what}: what the books have of it cannot be read: {why}"
        return [Finding(ids[0], Fault(code, ids[0], message))]
