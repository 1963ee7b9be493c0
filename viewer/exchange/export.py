"""What every export has in common: which images, how far it is, what it had to leave out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from detector.types import ModelCard
from viewer.dicom.model import Frame, Image, Skipped
from viewer.dicom.pseudonym import Pseudonym
from viewer.dicom.reported import MeasurementReport
from viewer.errors import EngineError, ExchangeError, InputError
from viewer.exchange import burned_in, pages
from viewer.exchange.folder import whole_folder
from viewer.exchange.options import BurnedIn, Options
from viewer.exchange.pages import Page, decoded, name_of

if TYPE_CHECKING:
    from viewer.review.store import Store


Copy = Callable[[Image, Pseudonym | None, bool], bytes]


@dataclass(frozen=True, slots=True)
class FileAccess:
    """How exports and imports get at files: all of it is done in a decode worker.

    Attributes
    ----------
    decode, copy : as in `Export`.
    measurements : what a measurement report says.
    """

    decode: Callable[[Image], Frame]
    copy: Copy
    measurements: Callable[[Path], MeasurementReport]


@dataclass(frozen=True, slots=True)
class Part:
    """How much of an export fell into one part of the split."""

    name: str  # train, val or test; "partial": images that were not reviewed completely
    patients: int
    images: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a format has written.

    Attributes
    ----------
    uncertain : findings that the reader is not sure of; they go out as such, never as plain ones.
    parts : of the split, where there is one.
    """

    images: int
    findings: int
    rejected: int = 0
    uncertain: int = 0
    parts: tuple[Part, ...] = ()

    @staticmethod
    def of(gone_out: Sequence[Page], parts: tuple[Part, ...] = ()) -> Written:
        """The figures of the pages that went out."""
        return Written(
            images=len(gone_out),
            findings=sum(len(page.certain) for page in gone_out),
            rejected=sum(len(page.rejected) for page in gone_out),
            uncertain=sum(len(page.uncertain) for page in gone_out),
            parts=parts,
        )


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds, and the images that it had to leave out."""

    written: Written
    skipped: tuple[Skipped, ...]


@dataclass(eq=False)
class Export:
    """One export on its way: what a format gets, to write files into ``folder``.

    Attributes
    ----------
    pages : in an order that says nothing of patients.
    folder : new and empty; it gets its name when the format has returned, and else goes away.
    decode : how an image becomes a frame; its InputError or EngineError leaves the image out.
    copy : a frame as a DICOM file made anew; under a pseudonym, or None for the file's identity;
        with pixels or without. It raises as ``decode`` does.
    pseudonym : of a patient key.
    card_of : the card of an installed model by the hash of its weights; None where it is not here.
    skipped : what was left out so far; a format may add to it.
    """

    pages: Sequence[Page]
    folder: Path
    decode: Callable[[Image], Frame]
    options: Options
    copy: Copy
    pseudonym: Callable[[str], Pseudonym]
    card_of: Callable[[str], ModelCard | None]
    on_progress: Callable[[int, int], None] | None = None
    skipped: list[Skipped] = field(default_factory=list)

    def frames(self) -> Iterator[tuple[Page, Frame]]:
        """Each page with its decoded frame; tells the progress, and passes over what it must."""
        for done, page in enumerate(self.pages):
            self.progress(done)
            try:
                frame = decoded(page, self.decode)
            except (InputError, EngineError) as error:
                self.skipped.append(Skipped(name_of(page.record.image), str(error)))
                continue
            yield page, frame
        self.progress(len(self.pages))

    def progress(self, done: int) -> None:
        """Say how many pages are done; the reader's cancelling comes out of it."""
        if self.on_progress is not None:
            self.on_progress(done, len(self.pages))


def _kept_back(
    shown: Sequence[Page], options: Options, header: Callable[[Image], bytes]
) -> list[Page]:
    """The pages that are not to go out since their pictures may show identity."""
    if options.identity or options.burned_in is BurnedIn.INCLUDE:
        return []
    found = burned_in.suspects(shown, header)
    if found and options.burned_in is None:
        raise burned_in.BurnedInTextError(len(found))
    return found


def export(
    store: Store,
    out: Path,
    decode: Callable[[Image], Frame],
    write: Callable[[Export], Written],
    options: Options,
    *,
    copy: Copy,
    card_of: Callable[[str], ModelCard | None],
    only_plain: bool = False,
    studies: Collection[tuple[str, str]] | None = None,
    images: Collection[tuple[str, int]] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ExportSummary:
    """Write the decided findings with their images into a folder: whole, or not at all.

    Images with a decided finding go out, and those that were signed without one.

    Parameters
    ----------
    out : the folder to make; an empty one may be there already.
    write : the format.
    copy, card_of : as in `Export`.
    only_plain : the pixels of plain images alone go out.
    studies, images : only these studies (uid, patient key), only these images (uid, frame number);
        None: all.
    on_progress : called with the images done and their number; what it raises ends the export.

    Raises
    ------
    ExchangeError
        There is nothing to export, or the folder cannot be written; nothing is left behind.
        BurnedInTextError where it must be said first what becomes of some images.
    StoreError
    """
    found, left_out = pages.pages(store, studies=studies, images=images, reader=options.reader)
    if not found:
        why = f" {left_out[0].reason}" if left_out else ""
        whose = "" if options.reader is None else f" by {options.reader}"
        raise ExchangeError(
            f"There is nothing to export: no finding is decided, no study signed{whose}.{why}"
        )
    shown = [page for page in found if page.record.image.is_plain or not only_plain]
    kept_back = _kept_back(shown, options, lambda image: copy(image, None, False))
    left_out += [Skipped(name_of(page.record.image), burned_in.REASON) for page in kept_back]
    marked = {id(page) for page in kept_back}
    with whole_folder(out) as folder:
        work = Export(
            pages=[page for page in found if id(page) not in marked],
            folder=folder,
            decode=decode,
            options=options,
            copy=copy,
            pseudonym=store.pseudonym,
            card_of=card_of,
            on_progress=on_progress,
        )
        written = write(work)
        skipped = (*left_out, *work.skipped)
        if not written.images:
            raise ExchangeError(
                f"None of the {len(found)} images can be exported; the first: {skipped[0].reason}"
            )
    return ExportSummary(written, skipped)
