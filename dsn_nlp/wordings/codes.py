"""Reasons in one word, as people say them: for lists and tables of what was set aside."""

from collections.abc import Mapping
from typing import Any

from dsn_nlp.records import Language

# Code, or stage where there is none: in French, in English.
CODES = {
    "alike": ("mots déjà reçus, sans identifiant ni date", "words received before, no id or date"),
    "bad_address": ("adresse invalide", "invalid address"),
    "bad_file": ("fichier illisible", "unreadable file"),
    "bad_row": ("rangée illisible", "unreadable row"),
    "bad_sitemap": ("plan de site illisible", "unreadable sitemap"),
    "bad_source": ("source illisible", "unreadable source"),
    "column-missing": ("colonne absente", "column missing"),
    "column-twice": ("colonne en double", "column twice"),
    "duplicate": ("copie d'un autre article", "copy of another article"),
    "damaged": ("fichier endommagé", "damaged file"),
    "damaged-text": ("texte endommagé", "damaged text"),
    "date": ("date illisible", "unreadable date"),
    "doctype": ("XML suspect (DOCTYPE)", "suspect XML (DOCTYPE)"),
    "empty": ("texte vide", "empty text"),
    "empty-file": ("fichier vide", "empty file"),
    "encoding": ("encodage inconnu", "unknown encoding"),
    "encrypted": ("protégé par mot de passe", "password-protected"),
    "export-unknown": ("export non reconnu", "export not recognised"),
    "extract": ("lecture de la page", "reading the page"),
    "fields": ("nombre de cellules", "number of cells"),
    "file": ("fichier", "file"),
    "gap": ("longue suite de rangées vides", "long run of empty rows"),
    "gather": ("collecte", "gathering"),
    "given_up": ("abandonné", "given up"),
    "hard-link": ("lien physique", "hard link"),
    "index": ("liste d'adresses", "list of addresses"),
    "json": ("JSON invalide", "invalid JSON"),
    "kind": ("type de fichier non lu", "kind of file not read"),
    "nested-archive": ("archive dans l'archive", "archive in the archive"),
    "no-file": ("fichier absent", "no such file"),
    "no-lines": ("pas de lignes", "no lines"),
    "no-sheet": ("feuille absente", "no such sheet"),
    "no-text-column": ("aucune question ouverte", "no open question"),
    "no_article": ("aucun article dans la page", "no article in the page"),
    "not-a-file": ("pas un fichier", "not a file"),
    "not-a-workbook": ("pas un classeur", "not a workbook"),
    "not_there": ("page absente", "page not there"),
    "off_topic": ("hors sujet", "off topic"),
    "old-excel": ("ancien Excel (.xls)", "old Excel (.xls)"),
    "other": ("autre", "other"),
    "other_domain": ("autre domaine", "other domain"),
    "paywall": ("derrière un péage", "behind a paywall"),
    "quoting": ("guillemets CSV", "CSV quoting"),
    "read": ("lecture", "reading"),
    "response-twice": ("réponse déjà lue, autre texte", "response read before, other text"),
    "row": ("rangée", "row"),
    "screen": ("tri", "screening"),
    "source": ("source entière", "whole source"),
    "sql": ("requête ou base de données", "query or database"),
    "symlink": ("lien symbolique", "symbolic link"),
    "timeout": ("trop long à lire", "too long to read"),
    "too-large": ("trop gros", "too large"),
    "too-long": ("texte trop long", "text too long"),
    "too-many-bad-rows": ("trop de rangées illisibles", "too many unreadable rows"),
    "too-many-columns": ("trop de colonnes", "too many columns"),
    "too-many-parts": ("archive de trop de parties", "archive of too many parts"),
    "too-many-rows": ("trop de rangées", "too many rows"),
    "transient": ("passager", "transient"),
    "unknown-column": ("colonne imprévue", "unexpected column"),
    "unreadable": ("illisible", "unreadable"),
    "zip-bomb": ("bombe zip", "zip bomb"),
}


def code_name(code: str, language: Language) -> str:
    """Say the code of a rejection; one that is not known is said as it is."""
    return CODES[code][0 if language == "fr" else 1] if code in CODES else code


def left_out(measures: Mapping[str, Any], lang: Language) -> dict[str, dict[str, int]]:
    """Count what a night did not take in, by source and named reason.

    :param measures: of the watch of a night: its rejections, and comments left out because their
        words came before and nothing else tells them apart.
    """
    told = {
        source: {code_name(code, lang): count for code, count in counts.items()}
        for source, counts in measures.get("rejected", {}).items()
    }
    for source, count in measures.get("alike", {}).items():
        told.setdefault(source, {})[code_name("alike", lang)] = count
    return told
