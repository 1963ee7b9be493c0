"""Which series hangs in which viewport."""

from __future__ import annotations

from viewer.dicom.model import Series
from viewer.dicom.priors import latest_prior
from viewer.errors import InputError
from viewer.ui.grid import Grid, GridLayout
from viewer.ui.pane import Pane
from viewer.ui.position import Position
from viewer.ui.reading import Reading
from viewer.ui.study_browser import StudyModel


class Hanging:
    """Fills the layout, by itself or as the reader says."""

    def __init__(self, reading: Reading, grid: Grid, studies: StudyModel) -> None:
        self._reading = reading
        self._grid = grid
        self._studies = studies
        grid.series_dropped.connect(self.hang)

    def hang(self, pane: Pane, position: Position) -> None:
        """Show a series in a viewport, which becomes the active one."""
        self._grid.activate(pane)
        self._reading.open(position)

    def choose(self, layout: GridLayout) -> None:
        """Show this many viewports; empty ones get the series that follow in the study."""
        self._grid.set_layout(layout)
        here = self._reading.showing.heading_for
        if here is None:
            return
        following = iter(self._following(here))
        for pane in self._grid.in_sight:
            if pane.showing.heading_for is None:
                series = next(following, None)
                if series is not None:
                    pane.showing.open(Position(here.study, series, 0))

    def _following(self, here: Position) -> list[Series]:
        """The series of the study that are not in sight: those after the one here come first."""
        shown = [pane.showing.heading_for for pane in self._grid.in_sight]
        all_of = [Position(here.study, series, 0) for series in here.study.series]
        start = next((n for n, one in enumerate(all_of) if one.same_series(here)), 0)
        free = [
            one for one in all_of if not any(one.same_series(other) for other in shown if other)
        ]
        after = [one.series for one in free if all_of.index(one) > start]
        return after + [one.series for one in free if one.series not in after]

    def compare_with_prior(self) -> None:
        """The latest earlier study of this patient that fits, beside the one that is read.

        Raises
        ------
        InputError
            There is none among the open studies.
        """
        here = self._reading.position
        if here is None:
            return
        opened = self._studies.studies()
        prior = latest_prior(here.study, here.series, here.index, opened)
        if prior is None:
            raise InputError(_no_prior(here))
        self._grid.set_layout(GridLayout.TWO)
        beside = next(pane for pane in self._grid.in_sight if pane is not self._grid.active)
        beside.showing.open(Position(prior.study, prior.series, prior.index))

    def next_viewport(self) -> None:
        """The viewport after the active one becomes active, round and round."""
        panes = self._grid.in_sight
        following = (panes.index(self._grid.active) + 1) % len(panes)
        self._grid.activate(panes[following])


def _no_prior(here: Position) -> str:
    header, series = here.study.header, here.series.header
    if not header.patient.id:
        return "Without a Patient ID no earlier study can be told to be of the same patient."
    if not header.date:
        return "Without a study date nothing can be told to be earlier."
    kind = " ".join(part for part in (series.modality, series.body_part.lower()) if part)
    return f"No earlier study of this patient with {kind or 'such images'} is open."
