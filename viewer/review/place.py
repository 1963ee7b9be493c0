"""Where the label database is: a file on this computer, or a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from viewer.errors import InputError

_SCHEME = "postgresql+psycopg"
_EXPECTED = f"a file, or {_SCHEME}://USER@HOST/NAME of a PostgreSQL server"


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a PostgreSQL server. Its text is for messages: it tells no password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        host = parts.hostname or "".join(parse_qs(parts.query).get("host", ["this computer"]))
        port = f":{parts.port}" if parts.port else ""
        return f"{unquote(parts.path).strip('/')} on {host}{port}"

    def without_password(self, text: str) -> str:
        """A message of the driver, which may repeat what it was given."""
        parts = urlsplit(self.url)
        for secret in (parts.password, *parse_qs(parts.query).get("password", ())):
            if secret:
                text = text.replace(secret, "***").replace(unquote(secret), "***")
        return text


Place = Path | Server


def place_from_text(text: str) -> Place:
    """What a reader writes for it.

    Raises
    ------
    InputError
        It is a URL of something else. The sentence does not repeat it: it may hold a password.
    """
    if "://" not in text:
        return Path(text).expanduser().absolute()
    try:
        parts = urlsplit(text)
        understood = parts.scheme in (_SCHEME, "postgresql") and len(parts.path) > 1
        _ = parts.port  # raises where it is no number
    except ValueError:
        understood = False
    if not understood:
        raise InputError(f"The label database is {_EXPECTED}; what was given is neither.")
    return Server(f"{_SCHEME}://{text.partition('://')[2]}")
