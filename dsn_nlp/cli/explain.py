"""The command ``explain``: the words that bear each label."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsn_nlp.cli.texts import ModelOption, load_classifier
from dsn_nlp.speech import either

if TYPE_CHECKING:
    from dsn_nlp.label.explain import Evidence


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(help=either("Montrer les mots qui portent chaque étiquette.", "Show what bears."))(
        explain
    )


def explain(
    text: Annotated[
        str, typer.Argument(help=either("Le texte, ou - pour le lire.", "The text, or - to read."))
    ],
    label: Annotated[
        list[str] | None,
        typer.Option(help=either("Étiquette voulue (répétable).", "Label wanted (repeatable).")),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help=either("Mots à montrer.", "Words to show."))] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help=either("Écrire du JSON.", "Write JSON."))
    ] = False,
    model: ModelOption = None,
) -> None:
    """Show the words that bear each told label, by what the score loses without them."""
    from dsn_nlp.label.explain import explain as weigh

    passage = sys.stdin.read().strip() if text == "-" else text
    found = weigh(load_classifier(model), passage, label)
    if as_json:
        typer.echo(json.dumps([_row(e, passage, top) for e in found], ensure_ascii=False, indent=1))
        return
    for evidence in found:
        _show(evidence, passage, top)


def _row(evidence: "Evidence", text: str, top: int) -> dict[str, Any]:
    words = [asdict(w) | {"word": text[w.start : w.end]} for w in evidence.words[:top]]
    score = round(evidence.score, 4)
    return {"label": evidence.label, "score": score, "told": evidence.told, "words": words}


def _show(evidence: "Evidence", text: str, top: int) -> None:
    from rich.console import Console
    from rich.text import Text

    from dsn_nlp.label.names import LABEL_NAMES

    told = "" if evidence.told else either(" (non retenue)", " (not told)")
    name = either(*LABEL_NAMES[evidence.label])
    bearing = [word for word in evidence.words[:top] if word.weight > 0]
    shown = Text(text)
    for word in bearing:
        shown.stylize("bold reverse", word.start, word.end)
    listed = ", ".join(f"{text[w.start : w.end]} {w.weight:+.2f}" for w in bearing)
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(f"{name} {evidence.score:.2f}{told}", "bold"))
    console.print(Text("  ").append_text(shown))
    console.print(Text(f"  {listed}"))
