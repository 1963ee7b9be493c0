"""Labels out and in, and what earlier sittings left: work on the database beside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.dicom.model import Frame, Image, Study, StudyHeader
from viewer.errors import Cancelled, ViewerError
from viewer.exchange.burned_in import BurnedInTextError
from viewer.exchange.export import ExportSummary, FileAccess
from viewer.exchange.formats import Format
from viewer.exchange.label_import import ImportSummary
from viewer.exchange.options import Options
from viewer.home import Home
from viewer.installed import card_with
from viewer.review.fold import fold
from viewer.review.place import Place
from viewer.review.record import of_patient
from viewer.ui.jobs import Jobs, Report
from viewer.ui.position import StudyKey, study_key
from viewer.ui.study_browser import ANALYSED, SIGNED

if TYPE_CHECKING:
    from viewer.review.store import Store

SLOT = "exchange"
HISTORY_SLOT = "history"

Load = Callable[[Path], Sequence[tuple[Image, Frame]]]


class Exchanging(QObject):
    """Runs exports and imports, each over its own connection: a store is one thread's."""

    progressed = Signal(str, int, int)  # what, how many are done, of how many
    done = Signal(str)  # sentence
    failed = Signal(str)
    imported = Signal()
    notes = Signal(object)  # study key -> signed, analysed
    burned_in_asked = Signal(int, object)  # of how many images; takes a BurnedIn and goes on

    def __init__(
        self,
        jobs: Jobs,
        home: Home,
        files: FileAccess,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._home = home
        self._database = home.database
        self._files = files

    @property
    def busy(self) -> bool:
        return self._jobs.busy(SLOT)

    def export(
        self, row: Format, out: Path, studies: Sequence[StudyHeader] | None, options: Options
    ) -> None:
        """Write labels into ``out``: of these studies, or of everything reviewed."""

        def work(report: Report) -> str:
            def progress(count: int, total: int) -> None:
                report.check()
                report(("Exporting", count, total))

            with _store(self._database) as store:
                chosen = None
                if studies is not None:
                    chosen = [(study.uid, store.patient_key(study)) for study in studies]
                summary = row.export(
                    store,
                    out,
                    self._files.decode,
                    options,
                    copy=self._files.copy,
                    card_of=partial(card_with, self._home),
                    studies=chosen,
                    on_progress=progress,
                )
            return _export_sentence(summary, out)

        def failed(error: ViewerError) -> None:
            if not isinstance(error, BurnedInTextError):
                self._failed(error)
                return
            self.failed.emit("")  # nothing is running now
            self.burned_in_asked.emit(
                error.count,
                lambda said: self.export(row, out, studies, replace(options, burned_in=said)),
            )

        self._submit(work, lambda: None, failed)

    def import_labels(self, row: Format, path: Path, reader: str, load: Load) -> None:
        """Take candidates and findings of a file or folder in."""

        def work(report: Report) -> str:
            def progress(count: int, total: int) -> None:
                report.check()
                report(("Importing", count, total))

            with _store(self._database) as store:
                summary = row.import_labels(
                    store,
                    path,
                    reader,
                    load=load,
                    keep=self._home.imported,
                    measurements=self._files.measurements,
                    on_progress=progress,
                )
            return _import_sentence(summary, reader)

        self._submit(work, self.imported.emit)

    def read_history(self, studies: Sequence[Study]) -> None:
        """Look up which of these were signed or analysed before."""

        def work(report: Report) -> dict[StudyKey, str]:
            notes = {}
            with _store(self._database) as store:
                known = set(store.study_uids())
                for study in studies:
                    header = study.header
                    if header.uid in known:
                        report.check()
                        record = of_patient(store.load(header.uid), store.patient_key(header))
                        signed = fold(record).signed
                        notes[study_key(study)] = (
                            SIGNED if signed else ANALYSED if record.runs else ""
                        )
            return notes

        self._jobs.submit(HISTORY_SLOT, work, self.notes.emit, self._failed)

    def cancel(self) -> None:
        self._jobs.cancel(SLOT)

    def _submit(
        self,
        work: Callable[[Report], str],
        then: Callable[[], None],
        failed: Callable[[ViewerError], None] | None = None,
    ) -> None:
        if self.busy:
            self.failed.emit("An export or import is running; wait for it or cancel it.")
            return

        def finished(sentence: str) -> None:
            then()
            self.done.emit(sentence)

        self.progressed.emit("Reading the labels", 0, 0)
        self._jobs.submit(
            SLOT,
            work,
            finished,
            failed or self._failed,
            lambda update: self.progressed.emit(*update),
        )

    def _failed(self, error: ViewerError) -> None:
        self.failed.emit("" if isinstance(error, Cancelled) else str(error))


def _export_sentence(summary: ExportSummary, out: Path) -> str:
    written = summary.written
    parts = [_count(written.images, "image"), _count(written.findings, "finding")]
    if written.rejected:
        parts.append(f"{written.rejected} rejected")
    if written.uncertain:
        parts.append(f"{written.uncertain} uncertain")
    sentence = f"Exported {', '.join(parts)} to {out}."
    if written.parts:
        divided = (f"{part.name} {_count(part.patients, 'patient')}" for part in written.parts)
        sentence += f" Divided by patient: {', '.join(divided)}."
    if summary.skipped:
        first = summary.skipped[0]
        sentence += f" Not exported: {_count(len(summary.skipped), 'image')} ({first.reason})"
    return sentence


def _import_sentence(summary: ImportSummary, reader: str) -> str:
    parts = [_count(summary.candidates, "candidate"), _count(summary.findings, "finding")]
    sentence = f"Imported {', '.join(parts)}."
    others = [name for name in summary.readers if name != reader]
    if others:
        sentence += f" The file has decisions of {', '.join(others)}: they are in their own logs."
    if summary.not_found:
        sentence += f" Not found here: {', '.join(summary.not_found[:3])}"
        more = len(summary.not_found) - 3
        sentence += f" and {more} more." if more > 0 else "."
    return " ".join((sentence, *summary.notes[:2]))


def _count(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"


def _store(database: Place) -> Store:
    from viewer.review.store import Store  # noqa: PLC0415  SQLAlchemy: not while the window starts

    return Store.open(database)
