"""The one border where whatever a library throws at hostile input becomes an InputError."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from viewer.dicom.limits import SEQUENCE_DEPTH
from viewer.errors import InputError, ViewerError

# pydicom repeats offending values, which may be names, in its log messages; none may reach a log
# file or the terminal.
_pydicom_log = logging.getLogger("pydicom")
_pydicom_log.setLevel(logging.WARNING)
_pydicom_log.addHandler(logging.NullHandler())
_pydicom_log.propagate = False

_REASON_LENGTH = 160


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Run the body; any failure in it becomes one InputError that starts with ``what``.

    Damaged files make pydicom, Pillow and the codecs raise RecursionError, OSError, struct.error,
    StopIteration, AttributeError, ValueError, NotImplementedError, MemoryError and more, so this
    is the one place of the room that catches Exception.

    Raises
    ------
    InputError
        With one sentence for the reader.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ViewerError:
        raise
    except RecursionError as error:
        raise InputError(
            f"{what}: its sequences are nested above the limit {SEQUENCE_DEPTH.text} levels."
        ) from error
    except MemoryError as error:
        raise InputError(f"{what}: it needs more memory than there is.") from error
    except FileNotFoundError as error:
        raise InputError(f"{what}: there is no such file or folder.") from error
    except PermissionError as error:
        raise InputError(f"{what}: reading it is not permitted.") from error
    except Exception as error:
        raise InputError(f"{what}: {reason(error)}.") from error


def reason(error: Exception) -> str:
    """The first line of an error's message, or its kind where it has none."""
    # The text of an OSError repeats the path, which is shown beside the reason anyway.
    message = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    lines = message.strip().splitlines()
    text = lines[0].strip().rstrip(".:") if lines else type(error).__name__
    return text if len(text) <= _REASON_LENGTH else text[: _REASON_LENGTH - 3] + "..."
