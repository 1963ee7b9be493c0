"""A real PostgreSQL for the tests: in a folder of its own, reached by a Unix socket alone.

It refuses to run as root, so that it is then started as the user ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from viewer.review.place import Server

USER = "reader"
PASSWORD = "s3cret of the desk"


class PostgresAbsentError(Exception):
    """Why no server can be started."""


def programs() -> Path:
    """The folder of the newest PostgreSQL that is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    if os.name != "posix" or not found:
        raise PostgresAbsentError("no PostgreSQL is installed here (initdb was not found)")
    return max(found, key=lambda folder: int("0" + "".join(filter(str.isdigit, folder.parts[-2]))))


class PostgresServer:
    """Started by making it; ``stop`` takes everything away again.

    Parameters
    ----------
    fsync : whether it writes through to the disk; without it survives all but a loss of power.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._fsync = "on" if fsync else "off"
        self._programs = programs()
        self._user = _other_user() if os.geteuid() == 0 else None
        # Short: the name of a socket has 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="lightbox-pg-"))
        self._data = self.folder / "data"
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        password = self.folder / "password"
        password.write_text(PASSWORD, "utf-8")
        password.chmod(0o644)
        options = "-E UTF8 --locale=C --auth=scram-sha-256 --no-sync".split()
        self._run(["initdb", "-D", str(self._data), "-U", USER, f"--pwfile={password}", *options])
        self.start()

    def start(self) -> None:
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' "
            f"-c fsync={self._fsync}"
        )
        log = str(self.folder / "log")
        self._run(["pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start"])

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def halt(self, mode: str = "fast") -> None:
        """As ``pg_ctl stop``; immediate is a crash."""
        self._run(["pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop"])

    def new_database(self, like: Server | None = None) -> Server:
        """The place of a database with nothing in it, or a copy of one that nobody is using."""
        name = f"labels_{secrets.token_hex(4)}"
        template = "template1" if like is None else database_name(like)
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.place(name)

    def place(self, name: str, password: str = PASSWORD) -> Server:
        secret = password.replace(" ", "%20")
        return Server(f"postgresql+psycopg://{USER}:{secret}@/{name}?host={self.folder}")

    def connect(self, database: str) -> psycopg.Connection:
        """The same as ``connect_to``."""
        return connect_to(self.place(database))

    def wait(self, seconds: float = 20.0) -> None:
        """Until it takes connections again."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def _run(self, command: Sequence[str]) -> None:
        name, *arguments = command
        environment = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run(
            [str(self._programs / name), *arguments],
            user=self._user,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would stay open in the server
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            words = log.read_text("utf-8")[-2000:] if log.exists() else ""
            raise RuntimeError(f"{name} failed with {done.returncode}: {words}")


def database_name(place: Server) -> str:
    return str(place).partition(" on ")[0]


def connect_to(place: Server) -> psycopg.Connection:
    """A connection for raw SQL, each statement of which is committed."""
    name, _, folder = str(place).partition(" on ")
    return psycopg.connect(host=folder, dbname=name, user=USER, password=PASSWORD, autocommit=True)


def _other_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise PostgresAbsentError("PostgreSQL does not run as root and there is no other user")
