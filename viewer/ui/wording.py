"""What the window says about patients, images, analyses and findings. Pure: values to words."""

from __future__ import annotations

from html import escape

from detector.types import ModelCard
from viewer.dicom.model import Image, Kind, Patient, PlaneGeometry, Series, Study
from viewer.installed import InstalledModel
from viewer.ui.analysis import AnalysisState, Outcome
from viewer.ui.position import Position

_MOST_IN_SIGHT = 3
"""Findings of the whole image that are named; a dozen percentages nobody reads."""

_PERCENT = "\N{NO-BREAK SPACE}%"  # a line shall not begin with it
_NOUNS = {
    Kind.IMAGE: "image",
    Kind.PAGE: "page",
    Kind.SEGMENTATION: "mask",
    Kind.REPORT: "report",
    Kind.PRESENTATION_STATE: "state",
}
_DEVICES = {"cpu": "CPU", "cuda": "GPU", "mps": "GPU"}


def plain_tip(text: str) -> str:
    """For a tool tip that shows what a file said: Qt takes anything like HTML for HTML."""
    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>"


def date(text: str) -> str:
    """``20240131`` as ``2024-01-31``; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 and text.isdigit() else text


def study_title(study: Study) -> str:
    """Whose study it is, or the file name of a plain image."""
    header = study.header
    return header.patient.name or header.patient.id or header.description or "No name"


def study_line(study: Study) -> str:
    """The rest of what tells a study from others."""
    header = study.header
    described = header.description if study_title(study) != header.description else ""
    return " · ".join(part for part in (date(header.date), described) if part)


def series_title(series: Series) -> str:
    header = series.header
    number = "" if header.number is None else f"{header.number}"
    first = series.images[0]
    words = first.title or header.description or header.body_part.capitalize()
    if not words:
        words = "Series" if first.kind is Kind.IMAGE else first.kind.value.capitalize()
    return " · ".join(part for part in (number, words) if part)


def series_line(series: Series) -> str:
    count, noun = len(series.images), _NOUNS[series.images[0].kind]
    images = f"1 {noun}" if count == 1 else f"{count} {noun}s"
    return " · ".join(part for part in (series.stack, series.header.modality, images) if part)


def series_notes(series: Series) -> str:
    """What must be known of its geometry, in a few words."""
    return ", ".join(note.short for note in series.notes)


def series_tip(series: Series) -> str:
    """All of it as a tool tip, the notes in whole sentences."""
    lines = (series_title(series), series_line(series), *(n.sentence for n in series.notes))
    return "\n".join(lines)


def window_title(position: Position | None) -> str:
    """The short form of what is open."""
    if position is None:
        return "Lightbox"
    parts = [study_title(position.study), study_line(position.study)]
    return " · ".join(part for part in parts if part) + " — Lightbox"


# --- corner text ---------------------------------------------------------------------------------


def patient_lines(image: Image) -> tuple[str, ...]:
    """Top left: who, and what was done."""
    patient, study = image.study.patient, image.study
    identity = " · ".join(part for part in (patient.id, _born(patient)) if part)
    return _filled(patient.name, identity, study.description)


def _born(patient: Patient) -> str:
    return " ".join(part for part in (date(patient.birth_date), patient.sex) if part)


def series_lines(image: Image) -> tuple[str, ...]:
    """Top right: where, when, which series."""
    series, study = image.series, image.study
    number = "" if series.number is None else f"Series {series.number}"
    described = " · ".join(part for part in (number, series.description) if part)
    when = " ".join(part for part in (date(study.date), _clock(study.time)) if part)
    return _filled(study.institution, when, described, *kind_lines(image))


def kind_lines(image: Image) -> tuple[str, ...]:
    """What kind of picture it is: all that is said of a picture without identity."""
    series = image.series
    return _filled(" ".join(p for p in (series.modality, series.body_part, image.view) if p))


def _clock(text: str) -> str:
    """``143012.5`` as ``14:30``."""
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdigit() else ""


def image_lines(position: Position) -> tuple[str, ...]:
    """Bottom right: which image of how many, and where in the patient."""
    image = position.image
    if image.kind is Kind.PAGE:
        return _filled(image.title, f"Page {image.frame_number}/{image.number_of_frames}")
    lines = [f"Image {position.index + 1}/{len(position.series.images)}"]
    if image.number_of_frames > 1:
        lines.append(f"Frame {image.frame_number}/{image.number_of_frames}")
    if image.geometry is not None:
        lines.append(f"Position {slice_position(image.geometry):.1f} mm")
    return _filled(position.series.stack, *(n.short for n in position.series.notes), *lines)


def slice_position(geometry: PlaneGeometry) -> float:
    """Distance of the plane from the origin along its normal, in mm."""
    (a, b, c), (d, e, f) = geometry.row_direction, geometry.column_direction
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    return sum(p * n for p, n in zip(geometry.position, normal, strict=True))


def _filled(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


# --- analysis ------------------------------------------------------------------------------------


_TITLES = {
    Outcome.ANALYSING: "Analysing…",
    Outcome.FAILED: "Analysis failed",
    Outcome.REFUSED: "Not analysed",
    Outcome.NO_MODEL: "No model installed",
    Outcome.NOT_ANALYSED: "Not analysed",
    Outcome.NO_IMAGE: "No image",
}


def analysis_title(state: AnalysisState, shown: int, hidden: int, blind: bool = False) -> str:
    """The state in two or three words; in a blind reading nothing of what was found."""
    if state.outcome is not Outcome.ANALYSED:
        return _TITLES[state.outcome]
    if blind:
        return "AI marks are hidden"
    if shown + hidden == 0:
        return "Analysed: nothing found"
    return f"Analysed: {shown} shown, {hidden} hidden"


BLIND_WORDS = "AI marks are hidden until you sign your first read."


def analysis_detail(
    state: AnalysisState, card: ModelCard | None, nothing: bool, blind: bool = False
) -> str:
    """The sentence below it."""
    match state.outcome:
        case Outcome.ANALYSED if blind:
            return "Until you sign your first read (Ctrl+Enter)."
        case Outcome.ANALYSED:
            ran = ran_by(state, card)
            floor = state.run.score_floor if state.run is not None else 0.0
            none = f"No candidate scores {floor:g} or more. " if nothing else ""
            return f"{none}{ran}"
        case Outcome.ANALYSING | Outcome.FAILED | Outcome.REFUSED:
            # The title says already that it was not analysed.
            words = state.detail.removeprefix("Not analysed: ")
            return words[:1].upper() + words[1:]
        case Outcome.NO_MODEL:
            return "Boxes can still be added by hand."
        case Outcome.NOT_ANALYSED:
            return "" if card is None else f"{card.name} {card.version} reads {card.reads()}."
        case Outcome.NO_IMAGE:
            return ""


def ran_by(state: AnalysisState, card: ModelCard | None) -> str:
    """Which machine said so, for example ``chest-xray 1.0.0 on CPU, int8 · 0.4 s``."""
    run = state.run
    if run is None:
        return ""
    older = "" if card is None or card.weights_sha256 == run.weights_sha256 else " (another model)"
    took = "" if state.seconds is None else f" · {_seconds(state.seconds)}"
    device = _DEVICES.get(run.device.split(":")[0], run.device)
    # Full precision is what nobody wonders about; of runs before it was kept nothing is known.
    precision = "" if run.precision in ("", "fp32") else f", {run.precision}"
    return f"{run.model_name} {run.model_version}{older} on {device}{precision}{took}"


def _seconds(seconds: float) -> str:
    return "under 0.1 s" if seconds < 0.1 else f"{seconds:.1f} s"


def image_findings_words(state: AnalysisState) -> str:
    """What the model says of the image as a whole: the likeliest few; empty for nothing."""
    words = _image_findings(state)
    more = f" and {len(words) - _MOST_IN_SIGHT} less likely" if len(words) > _MOST_IN_SIGHT else ""
    return f"On the whole image: {', '.join(words[:_MOST_IN_SIGHT])}{more}" if words else ""


def image_findings_tip(state: AnalysisState) -> str:
    """All of them, one below the other."""
    return "\n".join(_image_findings(state))


def _image_findings(state: AnalysisState) -> list[str]:
    found = () if state.run is None else state.run.image_findings
    likely = sorted(found, key=lambda one: -one.probability)
    return [f"{_finding_name(one.name)} {one.probability * 100:.0f}{_PERCENT}" for one in likely]


def _finding_name(name: str) -> str:
    """``Pleural_Thickening`` as ``pleural thickening``."""
    return name.replace("_", " ").lower()


def status_line(
    state: AnalysisState,
    card: ModelCard | None,
    shown: int,
    hidden: int,
    visible: bool,
    *,
    blind: bool = False,
) -> str:
    """The same for the status bar, on one line."""
    if blind and state.outcome is Outcome.ANALYSED:
        return "AI: marks are hidden until your first read is signed"
    if state.outcome is Outcome.ANALYSED and state.run is not None:
        ran = ran_by(state, card)
        device, _, took = ran.partition(" · ")
        found = f"{shown} shown, {hidden} hidden" if shown + hidden else "nothing found"
        line = " · ".join(part for part in (f"AI: {device}", found, took) if part)
    elif state.outcome is Outcome.NO_IMAGE:
        line = "AI: no model installed" if card is None else f"AI: {card.name} {card.version} ready"
    elif state.outcome is Outcome.ANALYSING:
        line = f"AI: analysing ({state.detail})" if state.detail else "AI: analysing"
    elif state.outcome is Outcome.REFUSED:
        line = f"AI: {state.detail[:1].lower()}{state.detail[1:]}"
    else:
        line = f"AI: {analysis_title(state, shown, hidden).lower()}"
    return line if visible or blind else f"{line} · AI marks hidden (G)"


def model_cells(model: InstalledModel) -> tuple[str, str, str, str, str, str]:
    """Name, version, architecture, categories, input and source of a model, for its row."""
    card = model.card
    colours = "grey" if card.channels == 1 else "colour"
    style = card.architecture_options.get("layout", {}).get("style", "")
    architecture = f"{card.architecture}, {style}" if style else card.architecture
    return (
        card.name,
        card.version,
        architecture,
        ", ".join(card.categories),
        f"{card.input_size} px, {colours}",
        model.source,
    )
