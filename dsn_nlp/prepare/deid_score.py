"""Scores of de-identification on tagged comments: ours beside Presidio as installed.

``python -m dsn_nlp.prepare.deid_score [--split test] [--json]``
"""

import argparse
import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from dsn_nlp.errors import CorpusError
from dsn_nlp.prepare.deidentify import Span, deidentifier
from dsn_nlp.records import Language

FLOORS = Path(__file__).parents[2] / "models" / "deid_floors.json"
MEASURES = ("structured_recall", "person_recall", "fully_redacted", "precision", "untouched")
CORPUS = Path(__file__).parents[2] / "corpora" / "deidentification"
SPLITS = ("dev", "train", "test", "heldout", "heldout2", "heldout3", "heldout4", "heldout5")
Finder = Callable[[str, Language], list[Span]]
_TAG = re.compile(r"<(/?)([A-Z_]{3,24})>")


@dataclass(frozen=True, slots=True)
class Tagged:
    """A comment with the identifiers that a person marked in it."""

    example_id: str
    lang: Language
    split: str
    text: str
    spans: tuple[Span, ...]

    def __repr__(self) -> str:
        return f"Tagged({self.example_id}, {len(self.spans)} spans)"


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts of one finder on one language; shares are derived."""

    comments: int
    recall: dict[str, float]
    structured_recall: float
    person_recall: float
    character_recall: float
    precision: float
    fully_redacted: float
    untouched: float
    over_redacted: float


def untag(example_id: str, lang: Language, split: str, tagged: str) -> Tagged:
    """Take inline tags out of a text and keep their places.

    :raises CorpusError: if a tag is not closed, or closed by another.
    """
    parts: list[str] = []
    spans: list[Span] = []
    opened: tuple[str, int] | None = None
    position = length = 0
    for match in _TAG.finditer(tagged):
        parts.append(tagged[position : match.start()])
        length += match.start() - position
        position = match.end()
        if not match.group(1) and opened is None:
            opened = (match.group(2), length)
        elif match.group(1) and opened is not None and opened[0] == match.group(2):
            spans.append(Span(opened[1], length, opened[0]))
            opened = None
        else:
            raise CorpusError(f"{example_id}: tags do not pair")
    if opened is not None:
        raise CorpusError(f"{example_id}: a tag is not closed")
    return Tagged(example_id, lang, split, "".join([*parts, tagged[position:]]), tuple(spans))


def read_tagged(split: str, folder: Path = CORPUS) -> list[Tagged]:
    """Read the tagged comments of one split.

    :raises CorpusError: if the corpus is missing or a row breaks its format.
    """
    found: list[Tagged] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            try:
                row = json.loads(line)
                if row["split"] == split:
                    found.append(untag(row["id"], row["lang"], split, row["text"]))
            except (KeyError, ValueError):
                raise CorpusError(f"{path.name}, row {number}: not a tagged comment") from None
    if not found:
        raise CorpusError(f"no tagged comments of split {split!r} in {folder}")
    return found


def hidden(span: Span, found: Iterable[Span]) -> bool:
    """Tell whether spans, of whatever type, cover every letter and digit place of ``span``."""
    open_places = set(range(span.start, span.end))
    for other in found:
        open_places -= set(range(other.start, other.end))
    return not open_places


def _share(flags: Iterable[bool]) -> float:
    kept = list(flags)
    return sum(kept) / len(kept) if kept else 1.0


def score(finder: Finder, examples: Iterable[Tagged]) -> Scores:
    """Score a finder on tagged comments.

    An identifier counts as found when it is wholly covered, whatever the type given to it. A span
    is right when it overlaps an identifier. A comment is fully redacted when all of its
    identifiers are found; one without identifiers is untouched when nothing is.
    """
    rows = [(example, finder(example.text, example.lang)) for example in examples]
    gold = [(span, hidden(span, found)) for example, found in rows for span in example.spans]
    types = sorted({span.type for span, _ in gold})
    right = [
        any(s.start < g.end and g.start < s.end for g in example.spans)
        for example, found in rows
        for s in found
    ]
    characters, covered, clean, damaged = _characters(rows)
    return Scores(
        comments=len(rows),
        recall={kind: _share(ok for span, ok in gold if span.type == kind) for kind in types},
        structured_recall=_share(ok for span, ok in gold if span.type != "PERSON"),
        person_recall=_share(ok for span, ok in gold if span.type == "PERSON"),
        character_recall=covered / max(1, characters),
        precision=_share(right),
        fully_redacted=_share(
            all(hidden(s, found) for s in example.spans) for example, found in rows if example.spans
        ),
        untouched=_share(not found for example, found in rows if not example.spans),
        over_redacted=damaged / max(1, clean),
    )


def _characters(rows: list[tuple[Tagged, list[Span]]]) -> tuple[int, int, int, int]:
    """Count characters of identifiers, those covered, all others, and those covered in vain."""
    total = covered = clean = damaged = 0
    for example, found in rows:
        gold = {place for span in example.spans for place in range(span.start, span.end)}
        ours = {place for span in found for place in range(span.start, span.end)}
        total, covered = total + len(gold), covered + len(gold & ours)
        clean, damaged = clean + len(example.text) - len(gold), damaged + len(ours - gold)
    return total, covered, clean, damaged


def read_floors(path: Path = FLOORS) -> dict[str, dict[str, float]]:
    """Read what de-identification must reach, by language and measure.

    :raises CorpusError: if the file is missing or malformed.
    """
    try:
        floors: dict[str, dict[str, float]] = json.loads(path.read_text("utf-8"))["floors"]
    except (OSError, KeyError, ValueError):
        raise CorpusError(f"{path}: no floors here; restore the file") from None
    return floors


def below_floors(scores: dict[str, Scores], floors: dict[str, dict[str, float]]) -> list[str]:
    """Say which measures are below their floor, a line each."""
    return [
        f"{lang} {measure}: {getattr(told, measure):.3f}, floor {floor}"
        for lang, told in scores.items()
        for measure, floor in floors[lang].items()
        if getattr(told, measure) < floor
    ]


def intervals(
    finder: Finder, examples: list[Tagged], draws: int = 200, seed: int = 7
) -> dict[str, tuple[float, float]]:
    """Bootstrap 95 % intervals of the measures over comments (Efron 1979).

    :param draws: samples with replacement; the finder reads each comment once.
    """
    found = {example.text: finder(example.text, example.lang) for example in examples}
    drawn = random.Random(seed)
    rows = [
        score(lambda text, lang: found[text], drawn.choices(examples, k=len(examples)))
        for _ in range(draws)
    ]
    return {measure: _middle([getattr(row, measure) for row in rows]) for measure in MEASURES}


def _middle(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered)) - 1]


def presidio_as_installed() -> Finder:
    """Give Presidio with its own recognizers and the same spaCy models, offline."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    from dsn_nlp.prepare.deid_engine import silence
    from dsn_nlp.prepare.deid_lexicon import SPACY_MODELS

    silence()
    keep_offline()
    names = [{"lang_code": lang, "model_name": name} for lang, name in SPACY_MODELS.items()]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": names})
    engine: Any = provider.create_engine()
    registry = RecognizerRegistry(supported_languages=list(SPACY_MODELS))
    registry.load_predefined_recognizers(languages=list(SPACY_MODELS), nlp_engine=engine)
    analyzer = AnalyzerEngine(
        nlp_engine=engine, registry=registry, supported_languages=list(SPACY_MODELS)
    )

    def find(text: str, lang: Language) -> list[Span]:
        return [Span(r.start, r.end, r.entity_type, r.score) for r in analyzer.analyze(text, lang)]

    return find


def keep_offline() -> None:
    """Let tldextract, which Presidio's own recognizers call, use its bundled list alone."""
    import tldextract

    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = extract
    tldextract.tldextract.TLD_EXTRACTOR = extract


def compare(split: str) -> dict[str, dict[str, Scores]]:
    """Score ours and Presidio as installed, per language, on one split."""
    examples = read_tagged(split)
    finders = {"dsn-nlp": deidentifier().find, "presidio": presidio_as_installed()}
    return {
        name: {
            lang: score(finder, [e for e in examples if e.lang == lang])
            for lang in get_args(Language)
        }
        for name, finder in finders.items()
    }


def _table(scores: dict[str, dict[str, Scores]]) -> str:
    columns = [(name, lang) for name in scores for lang in scores[name]]
    rows = [[""] + [f"{name} {lang}" for name, lang in columns]]
    measures = [name for name in Scores.__dataclass_fields__ if name not in ("comments", "recall")]
    rows.append(["comments"] + [str(scores[n][lang].comments) for n, lang in columns])
    for measure in measures:
        rows.append([measure] + [f"{getattr(scores[n][lang], measure):.3f}" for n, lang in columns])
    kinds = sorted({kind for n, lang in columns for kind in scores[n][lang].recall})
    for kind in kinds:
        cells = [f"{scores[n][lang].recall.get(kind, float('nan')):.3f}" for n, lang in columns]
        rows.append([f"recall {kind}", *cells])
    return "\n".join(
        "".join(f"{c:<32}" if i == 0 else f"{c:>14}" for i, c in enumerate(r)) for r in rows
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the scores of one split as a table or as JSON."""
    parser = argparse.ArgumentParser(description="Score de-identification on tagged comments.")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--floors", action="store_true", help="fail below models/deid_floors.json")
    parser.add_argument("--intervals", action="store_true", help="bootstrap 95 % intervals of ours")
    told = parser.parse_args(arguments)
    if told.floors or told.intervals:
        raise SystemExit(_gate(told.split, told.intervals))
    scores = compare(told.split)
    if told.json:
        plain = {n: {k: _plain(s) for k, s in by.items()} for n, by in scores.items()}
        print(json.dumps(plain, indent=2))
    else:
        print(_table(scores))


def _gate(split: str, with_intervals: bool) -> int:
    """Print our scores, with intervals on request; 1 when a floor is missed."""
    find, scores = deidentifier().find, {}
    for lang in get_args(Language):
        examples = [e for e in read_tagged(split) if e.lang == lang]
        scores[lang] = score(find, examples)
        around = intervals(find, examples) if with_intervals else {}
        for measure in MEASURES:
            low, high = around.get(measure, (None, None))
            between = f" ({low:.3f} to {high:.3f})" if low is not None else ""
            print(f"{lang} {measure:<18} {getattr(scores[lang], measure):.3f}{between}")
    missed = below_floors(scores, read_floors())
    print("\n".join(missed) or "every floor is reached")
    return int(bool(missed))


def _plain(scores: Scores) -> dict[str, Any]:
    return {name: getattr(scores, name) for name in Scores.__dataclass_fields__}


if __name__ == "__main__":
    main()
