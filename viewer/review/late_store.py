"""The store of the window, which is on the screen before the database is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from viewer.review.place import Place

if TYPE_CHECKING:
    from viewer.review.store import Store


class LateStore:
    """Stands where a ``Store`` is wanted, and opens it when it is asked to or first used.

    Importing SQLAlchemy takes as long as importing Qt: nobody should wait for it before there is
    a window to look at.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._store: Store | None = None

    def open(self) -> Store:
        """The store itself; raises as ``Store.open`` does."""
        if self._store is None:
            from viewer.review.store import Store  # noqa: PLC0415

            self._store = Store.open(self._place)
        return self._store

    def restore(self, backup: Path) -> str:
        """Put a backup in the place of the database, which is not open; what was done, in words.

        Raises
        ------
        StoreError
        """
        from viewer.review import opening  # noqa: PLC0415

        assert isinstance(self._place, Path)
        aside = opening.restore(self._place, backup)
        kept = f" What was there is kept as {aside}." if aside is not None else ""
        return f"{backup.name} is in the place of the label database now.{kept}"

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.open(), name)
