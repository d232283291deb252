"""Table of what each night measured of itself."""

import sqlalchemy as sa

from dsn_nlp.store.schema import ID, _column, metadata

measures = sa.Table(
    "measures",
    metadata,
    sa.Column(
        "run_id", ID, sa.ForeignKey("runs.run_id"), primary_key=True, comment="the run measured"
    ),
    sa.Column("name", ID, primary_key=True, comment="what was counted: volumes, seconds, scores …"),
    _column("counts", sa.JSON(), "counts, seconds or shares by name; histograms as lists"),
)
