"""`backup` and `verify`: a copy of the label database, one put in its place, and is it sound."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from viewer.commands.console import require_paths, tell
from viewer.errors import StoreError
from viewer.home import Home
from viewer.review import backup, opening, transfer, verify
from viewer.review.place import Server


def back_up(home: Home, out: Path | None) -> None:
    """Copy the label database into an SQLite file, by default a new one among the backups.

    Raises
    ------
    StoreError
        There is no sound database, the file is there already or cannot be written.
    """
    place, now = home.database, datetime.now(UTC)
    if isinstance(place, Server):
        out = out or home.path / backup.FOLDER / backup.name_for("server", now)
        with opening.of_this_version(place) as engine:
            transfer.server_to_file(engine, out)
    else:
        out = out or place.parent / backup.FOLDER / backup.name_for(place.stem, now)
        with opening.existing(place):  # not a copy of something that is none, or damaged
            backup.copy_file(place, out)
    tell(f"wrote {out}")


def restore(home: Home, copy: Path) -> None:
    """Put a copy in the place of the label database; what is there now is kept aside.

    Raises
    ------
    InputError, StoreError
        It is no sound label database; or the place cannot be written, or is a server that has
        labels already.
    """
    require_paths([copy])
    copy = copy.absolute()
    place = home.database
    if isinstance(place, Server):
        with opening.of_this_version(copy) as engine:
            transfer.file_to_server(engine, place)
    else:
        if place.exists() and copy.samefile(place):
            raise StoreError(f"{copy} is the label database itself.")
        aside = opening.restore(place, copy)
        if aside is not None:
            tell(f"kept what was there as {aside}")
    tell(f"{copy} is in the place of {place}")


def verify_database(home: Home) -> None:
    """Say that the label database is what was written to it, and where its chain ends.

    Raises
    ------
    StoreError
        The first thing that is wrong, and where.
    """
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done - told >= 10_000:
            tell(f"events checked: {done} of {total}")
            told = done

    found = verify.verify(home.database, progress)
    print(
        f"{home.database} is sound: {found.events.count} events in {found.logs} logs, "
        f"{found.runs} runs, {found.studies} studies.\n"
        f"The chain of events ends in {found.events.hash}"
    )
