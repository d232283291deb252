"""Builds the demonstration: a folder with settings, go-live days and a store of its own."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dsn_nlp.config import Settings, load_settings
from dsn_nlp.demo.story import NIGHTS, SITES, Piece, tell_story
from dsn_nlp.errors import InputError
from dsn_nlp.label.routing import Serving, read_serving
from dsn_nlp.prepare.context import PREPARATION
from dsn_nlp.records import Document, DocumentContext, Label, Passage, Tally
from dsn_nlp.stages import begin_night, open_store, publish_night
from dsn_nlp.store import Store
from dsn_nlp.text import content_id

Progress = Callable[[int, int], None]
SETTINGS = "dsn.toml"
_QUEBEC = ZoneInfo("America/Toronto")
# Nights that are watched as any night is; the first ones have nothing to be compared with.
_WATCHED = 40
_BATCH = 256


def build_demo(
    folder: Path,
    models: Path,
    corpora: Path,
    nights: int = NIGHTS,
    scale: float = 1.0,
    progress: Progress = lambda done, total: None,
) -> Settings:
    """Fill a folder with the demonstration, anew.

    :param folder: removed first where it holds an earlier demonstration.
    :param models: folder of models; the serving one labels each text once.
    :param corpora: folder of labelled examples.
    :param nights: the last so many of the half-year.
    :param scale: how much is written, in shares of the usual.
    :param progress: told how many texts of how many are labelled.
    :return: settings of the demonstration.
    :raises InputError: when the folder holds something else.
    :raises ModelError: when no model serves.
    """
    settings = _prepare(folder, models.resolve())
    told = tell_story(corpora, nights, scale)
    serving = read_serving(settings.labelling)
    labels = _label_once(serving, settings, (p for night in told for p in night), progress)
    with open_store(settings) as store:
        store.register_model(
            serving.model, serving.name, serving.version, serving.record, serving.corpus_digest
        )
        for number, pieces in enumerate(told):
            watched = number >= len(told) - _WATCHED
            _night(store, settings, serving.model, pieces, labels, watched)
    return settings


def _prepare(folder: Path, models: Path) -> Settings:
    if folder.exists() and any(folder.iterdir()) and not (folder / "golive.toml").exists():
        raise InputError(f"{folder}: holds something else; name an empty folder with --folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    days = [f'[[golive]]\nname = "{site}"\ndate = {day}\n' for site, day, *_ in SITES]
    (folder / "golive.toml").write_text("# Invented.\n" + "\n".join(days), encoding="utf-8")
    (folder / SETTINGS).write_text(
        "# Invented nights: dsn-nlp demo wrote this file, and writes it anew.\n"
        f'[store]\nurl = "sqlite:///demo.db"\n\n[labelling]\nmodels = "{models}"\n\n'
        '[analyse]\ngolive = "golive.toml"\n\n[run]\nreports = "reports"\n',
        encoding="utf-8",
    )
    return load_settings(folder / SETTINGS)


def _label_once(
    serving: Serving, settings: Settings, pieces: Iterable[Piece], progress: Progress
) -> dict[str, Label]:
    """Label each distinct text once, with the model that serves."""
    examples = {e.key: e for piece in pieces for e in piece.examples}
    router = serving.load(settings.labelling.threads)
    passages = [Passage(e.key, "", 0, 0, len(e.text), e.text, e.lang) for e in examples.values()]
    found: dict[str, Label] = {}
    for first in range(0, len(passages), _BATCH):
        some = router.label(passages[first : first + _BATCH])
        found.update((label.passage_id, label) for label in some)
        progress(len(found), len(passages))
    return found


def _night(
    store: Store,
    settings: Settings,
    model: str,
    pieces: Sequence[Piece],
    labels: dict[str, Label],
    watched: bool,
) -> None:
    run_id = begin_night(settings)
    pairs = [_document(piece) for piece in pieces]
    store.add_documents(run_id, pairs)
    store.add_contexts(run_id, [_context(d, cut) for d, cut in pairs])
    given = [
        replace(labels[example.key], passage_id=passage.passage_id)
        for piece, (_, cut) in zip(pieces, pairs, strict=True)
        for example, passage in zip(piece.examples, cut, strict=True)
    ]
    store.add_labels(run_id, given)
    counts = {"documents": len(pairs), "passages": len(given), "rejected": 0}
    tallies = [Tally("demo", counts), Tally("label", {"labelled": len(given)})]
    if watched:
        publish_night(settings, run_id, tallies)
    else:
        store.publish(run_id, counts | {"labelled": len(given)}, model)


def _document(piece: Piece) -> tuple[Document, list[Passage]]:
    key = content_id("demo", str(piece.number))
    moment = datetime.combine(piece.day, time(8), _QUEBEC) + timedelta(minutes=piece.number % 600)
    text = " ".join(example.text for example in piece.examples)
    document = Document(
        document_id=key,
        kind=piece.kind,
        source=piece.source,
        text=text,
        lang=piece.lang,
        title="Article inventé" if piece.kind == "article" else None,
        published_at=moment.astimezone(UTC),
        site=piece.site,
        role=piece.role,
        respondent=content_id(piece.person) if piece.person else None,
    )
    passages, start = [], 0
    for position, example in enumerate(piece.examples):
        end = start + len(example.text)
        one = content_id(key, str(position))
        passages.append(Passage(one, key, position, start, end, example.text, piece.lang))
        start = end + 1
    return document, passages


def _context(document: Document, cut: Sequence[Passage]) -> DocumentContext:
    """A context without a look at the text; examples are not copies of each other."""
    return DocumentContext(
        document_id=document.document_id,
        preparation=PREPARATION,
        site=document.site,
        relevance_score=1.0,
        relevance_reason="demo",
        text_key=document.document_id,
        passages=tuple((passage.passage_id, document.site, None) for passage in cut),
    )
