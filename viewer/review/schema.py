"""The tables of the label database, in portable types: the same on SQLite and on PostgreSQL.

``runs``, ``candidates`` and ``events`` are only ever inserted into. ``images`` and ``studies``
follow the files (a moved file gets its new path), ``meta`` holds the schema version, the secret of
the patient keys and the ends of the chains. A column that comes later is null where it was not
known: see ``chain.py``. What ``studies`` and ``logs`` count can be counted anew from the rest: see
``summary.py``.
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 4
"""3: measurements among the events. 4: logs of several readers, the chain, the worklist."""

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

images = sa.Table(
    "images",
    metadata,
    sa.Column("uid", sa.Text, primary_key=True),
    sa.Column("frame_number", sa.Integer, primary_key=True),
    sa.Column("pixel_sha256", sa.String(64), primary_key=True, index=True),
    sa.Column("study_uid", sa.Text, nullable=False, index=True),
    sa.Column("patient_key", sa.String(32), nullable=False),
    sa.Column("header", sa.JSON, nullable=False),
    # Rises whenever this row becomes the present one of its (uid, frame_number).
    sa.Column("seen", sa.Integer, nullable=False),
    # Since version 4: it was on a screen, not only analysed. The images before all were.
    sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.true()),
)


def _image_columns(nullable: bool) -> tuple[sa.Column[str], sa.Column[int], sa.Column[str]]:
    return (
        sa.Column("image_uid", sa.Text, nullable=nullable),
        sa.Column("frame_number", sa.Integer, nullable=nullable),
        sa.Column("pixel_sha256", sa.String(64), nullable=nullable),
    )


def _image_reference() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["image_uid", "frame_number", "pixel_sha256"],
        ["images.uid", "images.frame_number", "images.pixel_sha256"],
    )


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    *_image_columns(nullable=False),
    sa.Column("model_name", sa.Text, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("weights_sha256", sa.Text, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("score_floor", sa.Double, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),  # ISO 8601, UTC
    # Since version 2; null in the runs of version 1.
    sa.Column("precision", sa.String(16)),
    sa.Column("image_findings", sa.JSON(none_as_null=True)),  # name to probability
    # Since version 4; null in the runs before.
    sa.Column("threshold", sa.Double),
    sa.Column("hash", sa.String(64), nullable=False, server_default=""),  # the chain up to here
    _image_reference(),
    sa.Index("runs_of_image", "image_uid", "frame_number", "pixel_sha256"),
    sqlite_autoincrement=True,  # a sequence number is never used twice
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.id"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),  # in its run, best score first
    sa.Column("x_min", sa.Double, nullable=False),
    sa.Column("y_min", sa.Double, nullable=False),
    sa.Column("x_max", sa.Double, nullable=False),
    sa.Column("y_max", sa.Double, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("score", sa.Double, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("study_uid", sa.Text, nullable=False, index=True),
    sa.Column("verb", sa.String(16), nullable=False),
    *_image_columns(nullable=True),  # null for the verbs of the whole study
    sa.Column("before", sa.JSON(none_as_null=True)),
    sa.Column("after", sa.JSON(none_as_null=True)),
    sa.Column("reader", sa.Text, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),  # ISO 8601, UTC
    sa.Column("threshold", sa.Double, nullable=False),
    sa.Column("ai_visible", sa.Boolean, nullable=False),
    sa.Column("weights_sha256", sa.Text),
    sa.Column("model_name", sa.Text, nullable=False),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("undoes", sa.String(64), sa.ForeignKey("events.id")),
    sa.Column("covers", sa.JSON, nullable=False),  # image keys that a SIGN or REOPEN is about
    # Since version 4; the defaults are those of the events before.
    sa.Column("patient_key", sa.String(32), nullable=False, server_default=""),
    sa.Column("role", sa.String(16), nullable=False, server_default="reader"),
    sa.Column("log", sa.Text, nullable=False, server_default=""),  # reader; "" for the consensus
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # place in its log
    sa.Column("mode", sa.String(16), nullable=False, server_default="concurrent"),
    sa.Column("visible", sa.JSON, nullable=False, server_default="[]"),  # ids of shown findings
    sa.Column("thresholds", sa.JSON, nullable=False, server_default="{}"),  # category to threshold
    sa.Column("step", sa.String(64), nullable=False, server_default=""),
    sa.Column("comment", sa.Text, nullable=False, server_default=""),
    sa.Column("hash", sa.String(64), nullable=False, server_default=""),  # the chain up to here
    _image_reference(),
    # Two desks cannot write the same place of a log: the second one learns of the first.
    sa.Index("place_in_log", "study_uid", "patient_key", "role", "log", "revision", unique=True),
    sqlite_autoincrement=True,
)

# Since version 4. What the worklist shows, one row for each patient's study: the list must not have
# to fold 20,000 logs to be read.
studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),  # in the order of adding
    sa.Column("study_uid", sa.Text, nullable=False),
    sa.Column("patient_key", sa.String(32), nullable=False),
    sa.Column("patient_name", sa.Text, nullable=False),
    sa.Column("patient_id", sa.Text, nullable=False),
    sa.Column("study_date", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("modality", sa.Text, nullable=False),
    sa.Column("images", sa.Integer, nullable=False),  # as many as were found, seen or not
    sa.Column("hidden", sa.Boolean, nullable=False),  # removed from the list
    sa.Column("failure", sa.Text),  # why it could not be opened or analysed when last tried
    sa.Column("refusal", sa.Text),  # why the model did not read (all of) it
    sa.Column("checked_by", sa.Text),  # weights of the model that went over all of its images
    # Counted from the latest runs over the present pixels; null where there is none.
    sa.Column("analysed_images", sa.Integer, nullable=False),
    sa.Column("weights_sha256", sa.Text),  # of all of these runs; null where they differ
    sa.Column("candidates", sa.Integer),  # at or above the threshold of their runs
    sa.Column("highest_score", sa.Double),
    sa.Column("highest_category", sa.Text),
    sa.Column("added_at", sa.String(32), nullable=False),  # ISO 8601, UTC
    sa.Column("files", sa.JSON, nullable=False),  # absolute paths that it can be opened from
    sa.UniqueConstraint("study_uid", "patient_key", name="one_row_for_a_study"),
    sqlite_autoincrement=True,
)

logs = sa.Table(
    "logs",
    metadata,
    sa.Column("study_id", sa.Integer, sa.ForeignKey("studies.id"), primary_key=True),
    sa.Column("role", sa.String(16), primary_key=True),
    sa.Column("reader", sa.Text, primary_key=True),  # "" for the consensus
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("signed_at", sa.String(32)),  # while the signature stands
    sa.Column("first_read_at", sa.String(32)),  # of the blind read, where one stands
    sa.Column("decided", sa.Integer, nullable=False),
    sa.Column("open_candidates", sa.Integer),  # at or above the threshold of their runs
    sa.Column("highest_open", sa.Double),
    sa.Column("open_category", sa.Text),
    sa.Column("last_decision_at", sa.String(32)),
)
