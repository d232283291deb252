"""The documented views beside ``labelled_passages``: stable doors for BI tools and notebooks.

They hold no text and nobody's key. Counts of staff comments from fewer than five people are
``NULL`` (``withheld``); views are separate tables, and are not protected against being subtracted
from one another: what leaves the house goes through ``dsn-nlp ask``.
"""

from typing import Any

import sqlalchemy as sa

from dsn_nlp.records import COMPLAINTS, SENTIMENTS
from dsn_nlp.store.schema import (
    ID,
    UtcTime,
    _column,
    _optional,
    labelled_passages,
    views,
)


def _counts() -> list[sa.Column[Any]]:
    complaints = [_optional(n, sa.Integer(), f"passages that complain of {n}") for n in COMPLAINTS]
    moods = [_optional(n, sa.Integer(), f"passages told to be {n}") for n in SENTIMENTS]
    return [
        _column("withheld", sa.Boolean(), "whether fewer than five people stand behind the row"),
        _optional("passages", sa.Integer(), "passages, near-copies counted once"),
        _optional("documents", sa.Integer(), "documents, near-copies counted once"),
        _optional("respondents", sa.Integer(), "distinct people who commented; 0 for articles"),
        *complaints,
        *moods,
    ]


labelled_documents = sa.Table(
    "labelled_documents",
    views,
    _column("document_id", ID, "the document"),
    _column("kind", sa.String(), "article or comment"),
    _column("lang", sa.String(), "fr or en, of the document as a whole"),
    _column("source", sa.String(), "source as configured"),
    _optional("site", sa.String(), "establishment; of an article that names several, one of them"),
    _optional("published_at", UtcTime(), "when the document was published or written, UTC"),
    _column("passages", sa.Integer(), "passages it was cut into"),
    *(
        _column(name, sa.Boolean(), f"whether any passage complains of {name}")
        for name in COMPLAINTS
    ),
    *(_column(name, sa.Integer(), f"its passages told to be {name}") for name in SENTIMENTS),
    _column("needs_review", sa.Integer(), "its passages that a person should look at"),
    _column("representative", sa.Boolean(), "true for one document of each group of near-copies"),
    _column("model", ID, "the serving model, name@version"),
    _optional("day", sa.Date(), "day of publication or writing, Québec time"),
    comment="one row a document of a published run",
)

daily_counts = sa.Table(
    "daily_counts",
    views,
    _column("day", sa.Date(), "day of publication or writing, Québec time"),
    _column("kind", sa.String(), "article or comment"),
    _column("source", sa.String(), "source as configured"),
    _column("lang", sa.String(), "fr or en, of the passages"),
    *_counts(),
    comment="plain counts a day, kind, source and language; what has no date is left out",
)

site_weeks = sa.Table(
    "site_weeks",
    views,
    _column("site", sa.String(), "establishment"),
    _column("week", sa.Date(), "Monday of the week, Québec time"),
    _column("kind", sa.String(), "article or comment"),
    *_counts(),
    comment="plain counts a site, week and kind; what has no site or date is left out",
)

model_versions = sa.Table(
    "model_versions",
    views,
    _column("model", ID, "name@version"),
    _column("name", sa.String(), "name of the model"),
    _column("version", sa.String(), "version of the model"),
    _column("serving", sa.Boolean(), "whether the views show this model's labels"),
    _column("registered_at", UtcTime(), "when it was first seen here, UTC"),
    _column("corpus_digest", sa.String(), "digest of the corpus it was trained on"),
    _column("labelled", sa.Integer(), "passages it has labelled"),
    comment="one row a model version",
)

data_quality = sa.Table(
    "data_quality",
    views,
    _column("source", sa.String(), "source as configured"),
    _optional("kind", sa.String(), "article or comment; none where nothing was published yet"),
    _column("documents", sa.Integer(), "documents of published runs"),
    _column("passages", sa.Integer(), "their passages"),
    _column("undated", sa.Integer(), "passages whose document has no date"),
    _column("siteless", sa.Integer(), "passages without an establishment"),
    _column("copies", sa.Integer(), "passages of near-copies, which are not counted elsewhere"),
    _column("needs_review", sa.Integer(), "passages that a person should look at"),
    _column("rejected", sa.Integer(), "refused rows and pages that are not settled"),
    _optional("first_at", UtcTime(), "earliest publication, UTC"),
    _optional("last_at", UtcTime(), "latest publication, UTC"),
    comment="one row a source and kind",
)

DOORS = (
    labelled_passages,
    labelled_documents,
    daily_counts,
    site_weeks,
    model_versions,
    data_quality,
)
