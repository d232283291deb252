"""The data dictionary of the documented views, written from the schema, in French and English."""

import tomllib
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from dsn_nlp.records import Language
from dsn_nlp.store.schema_views import DOORS

_HEAD = {
    "fr": """# Dictionnaire des données

Produit du schéma par `dsn-nlp dictionary --lang fr` ; ne pas modifier à la main.

Six vues, stables et en lecture seule. Toutes ne montrent que des exécutions publiées et les \
étiquettes du modèle en service ; le texte est dépersonnalisé, non anonymisé. Dans `daily_counts` \
et `site_weeks`, les chiffres d'une ligne de commentaires de moins de cinq personnes sont vides \
(`withheld`) ; les vues ne sont pas protégées contre une soustraction de l'une à l'autre : ce qui \
sort de la maison passe par `dsn-nlp ask`, qui retient aussi ce qu'une soustraction révélerait. \
Les comptes des vues sont bruts, biaisés par les erreurs du modèle ; les parts corrigées sont dans \
`dsn-nlp ask`.
""",
    "en": """# Data dictionary

Made from the schema by `dsn-nlp dictionary --lang en`; not to be edited by hand.

Six views, stable and read-only. All show published runs alone and the labels of the serving \
model; text is de-identified, not anonymised. In `daily_counts` and `site_weeks` the figures of a \
row of comments from fewer than five people are empty (`withheld`); views are not protected \
against being subtracted from one another: what leaves the house goes through `dsn-nlp ask`, which \
also withholds what a subtraction would tell. Counts in views are plain, biased by the model's \
errors; corrected shares are in `dsn-nlp ask`.
""",
}
_COLUMNS = {
    "fr": ("colonne", "type", "vide ?", "sens"),
    "en": ("column", "type", "empty?", "meaning"),
}
_KINDS = {
    "fr": {"BOOLEAN": "booléen", "VARCHAR": "texte", "TEXT": "texte", "DOUBLE": "nombre réel",
           "INTEGER": "nombre entier", "DATE": "jour", "TIME": "moment (UTC)"},
    "en": {"BOOLEAN": "boolean", "VARCHAR": "text", "TEXT": "text", "DOUBLE": "real number",
           "INTEGER": "whole number", "DATE": "day", "TIME": "moment (UTC)"},
}  # fmt: skip


def write_dictionary(lang: Language) -> str:
    """Write the dictionary as Markdown."""
    parts = [_HEAD[lang], *(_view(view, lang) for view in DOORS)]
    return "\n".join(parts)


def meaning(comment: str | None, lang: Language) -> str:
    """Say what a column or view means.

    :param comment: as the schema has it, in English.
    """
    return _french()[comment or ""] if lang == "fr" else comment or ""


def _view(view: sa.Table, lang: Language) -> str:
    names = _COLUMNS[lang]
    lines = [f"## `{view.name}`", "", _sentence(meaning(view.comment, lang)), ""]
    lines += [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    yes = "oui" if lang == "fr" else "yes"
    for column in view.columns:
        empty = yes if column.nullable else ""
        cells = (f"`{column.name}`", _kind(column, lang), empty, meaning(column.comment, lang))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _kind(column: sa.Column[object], lang: Language) -> str:
    name = type(column.type).__name__
    known = {"UtcTime": "TIME", "String": "VARCHAR", "Text": "TEXT", "Double": "DOUBLE"}
    return _KINDS[lang][known.get(name, name.upper())]


@lru_cache(maxsize=1)
def _french() -> dict[str, str]:
    path = Path(__file__).with_name("dictionary_fr.toml")
    texts: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))
    return texts
