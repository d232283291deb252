"""The analyst's questions: ``dsn-nlp ask …``."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dsn_nlp.cli.texts import ConfigOption, OutputOption
from dsn_nlp.errors import InputError
from dsn_nlp.speech import either, screen_language

if TYPE_CHECKING:
    from dsn_nlp.analyse.desk import Desk
    from dsn_nlp.analyse.scope import Scope
    from dsn_nlp.analyse.tables import Table

ask_app = typer.Typer(no_args_is_help=True)
Form = Literal["table", "csv", "csv-fr", "json"]
FormOption = Annotated[Form, typer.Option("--format", help="table, csv, csv-fr, json")]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help=either(
            "Filtre (répétable) : since, until, kind, lang, source, site, role, voice.",
            "Filter (repeatable): since, until, kind, lang, source, site, role, voice.",
        ),
    ),
]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option("--label", help=either("Étiquette (répétable).", "Label (repeatable).")),
]
ByOption = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        help="day, week, month, since_golive, site, role, source, kind, lang, voice",
    ),
]
LangOption = Annotated[
    Literal["fr", "en"], typer.Option(help=either("Langue des mots.", "Language of the words."))
]
DaysOption = Annotated[int, typer.Option(min=1, help=either("Derniers jours.", "Last days."))]
JsonOption = Annotated[bool, typer.Option("--json", help=either("Écrire du JSON.", "Write JSON."))]
LabelArgument = Annotated[
    str, typer.Argument(help=either("Étiquette, par exemple training.", "Label, such as training."))
]
TopOption = Annotated[
    int,
    typer.Option(
        "--top",
        min=1,
        max=1000,
        help=either("Combien de rangées, au plus.", "How many rows at most."),
    ),
]
PurposeOption = Annotated[
    str | None,
    typer.Option(help=either("Pourquoi le texte est ouvert.", "Why text is opened.")),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(
        ask_app,
        name="ask",
        help=either(
            "Questions de l'analyste : parts corrigées, changements, courbe d'adaptation.",
            "The analyst's questions: corrected shares, changes, adaptation curve.",
        ),
    )
    app.command(help=either("Dictionnaire des données (Markdown).", "Data dictionary (Markdown)."))(
        dictionary
    )


def dictionary(
    lang: Annotated[
        Literal["fr", "en"] | None,
        typer.Option(help=either("Celle de l'écran par défaut.", "The screen's by default.")),
    ] = None,
) -> None:
    """Write what every column of the documented views means."""
    from dsn_nlp.analyse.dictionary import write_dictionary

    typer.echo(write_dictionary(lang or screen_language()), nl=False)


@ask_app.command(
    help=either(
        "Part de chaque plainte et ton, par un ou deux découpages.",
        "Share of each complaint and sentiment, by one or two cuts.",
    )
)
def shares(
    by: ByOption = None,
    label: LabelsOption = None,
    where: WhereOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Show corrected shares with 95 % intervals."""
    from dsn_nlp.analyse.estimates import LABELS
    from dsn_nlp.analyse.shares import shares as ask

    table = ask(_desk(config), _scope(where), tuple(by or ()), _labels(label, LABELS))
    _answer(table, form, output, config)


@ask_app.command(
    help=either(
        "Ce qui a changé : les derniers jours contre autant de jours avant.",
        "What changed: the last days against as many before.",
    )
)
def changes(
    by: ByOption = None,
    days: DaysOption = 28,
    label: LabelsOption = None,
    where: WhereOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Compare periods; a change is told only where the test holds."""
    from dsn_nlp.analyse.changes import what_changed
    from dsn_nlp.analyse.estimates import LABELS

    labels, cut = _labels(label, LABELS), tuple(by or ("site",))
    table = what_changed(_desk(config), _scope(where), cut, days, labels=labels)
    _answer(table, form, output, config)


@ask_app.command(
    help=either("Comparer deux périodes, deux sites …", "Compare two periods, two sites …")
)
def compare(
    first: Annotated[
        list[str],
        typer.Option(
            "--first",
            metavar="KEY=VALUE",
            help=either("Premier groupe, par exemple site=…", "First group, such as site=…"),
        ),
    ],
    second: Annotated[
        list[str],
        typer.Option(
            "--second",
            metavar="KEY=VALUE",
            help=either("Second groupe, par exemple site=…", "Second group, such as site=…"),
        ),
    ],
    label: LabelsOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Compare two scopes label by label."""
    from dsn_nlp.analyse.changes import compare as ask
    from dsn_nlp.analyse.estimates import LABELS

    table = ask(_desk(config), _scope(first), _scope(second), _labels(label, LABELS))
    _answer(table, form, output, config)


@ask_app.command(help=either("La presse contre le personnel.", "The press against the staff."))
def press(
    where: WhereOption = None,
    leads: Annotated[
        bool, typer.Option("--leads", help=either("Qui précède qui.", "Who leads whom."))
    ] = False,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Compare levels in articles and comments, or who speaks first."""
    from dsn_nlp.analyse.press import press_against_staff, who_leads

    table: Table[Any] = (who_leads if leads else press_against_staff)(_desk(config), _scope(where))
    _answer(table, form, output, config)


@ask_app.command(
    help=either(
        "La voix des soignants contre celle de la direction.",
        "Care staff's voice against management's.",
    )
)
def voices(
    where: WhereOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the divide of voices; the index is the difference of net sentiment."""
    from dsn_nlp.analyse.press import voices_divide

    _answer(voices_divide(_desk(config), _scope(where)), form, output, config)


@ask_app.command(help=either("Quelles plaintes vont ensemble.", "Which complaints come together."))
def pairs(
    where: WhereOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Show which complaints share passages."""
    from dsn_nlp.analyse.together import co_occurrence

    _answer(co_occurrence(_desk(config), _scope(where)), form, output, config)


@ask_app.command(help=either("Les mots qui portent une étiquette.", "Words that bear a label."))
def words(
    label: LabelArgument,
    lang: LangOption = "fr",
    top: TopOption = 20,
    where: WhereOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Show words that set a label apart."""
    from dsn_nlp.analyse.words import bearing_words

    table = bearing_words(_desk(config), label, _scope(where), lang, top)
    _answer(table, form, output, config)


@ask_app.command(
    help=either("Thèmes d'une étiquette, nouveaux ou en hausse.", "Themes of a label, new or up.")
)
def themes(
    label: LabelArgument,
    lang: LangOption = "fr",
    days: DaysOption = 28,
    where: WhereOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Show themes inside a label."""
    from dsn_nlp.analyse.themes import themes as ask

    _answer(ask(_desk(config), label, _scope(where), lang, days), form, output, config)


@ask_app.command(
    help=either("Passages derrière une étiquette (inscrit au registre).", "Passages of a label.")
)
def passages(
    label: Annotated[
        str | None,
        typer.Option(help=either("Étiquette, par exemple training.", "Label, such as training.")),
    ] = None,
    telling: Annotated[
        bool,
        typer.Option(
            "--telling", help=either("Les plus parlants, variés.", "The most telling, varied.")
        ),
    ] = False,
    top: TopOption = 10,
    where: WhereOption = None,
    purpose: PurposeOption = None,
    form: FormOption = "table",
    output: OutputOption = None,
    config: ConfigOption = None,
) -> None:
    """Read de-identified passages; who, when and why is recorded."""
    from dsn_nlp.analyse.reading import passages as read
    from dsn_nlp.analyse.reading import representative
    from dsn_nlp.config import load_settings
    from dsn_nlp.privacy.opening import require_purpose
    from dsn_nlp.privacy.registers import account
    from dsn_nlp.stages import open_store

    settings = load_settings(config)
    require_purpose(settings, purpose)
    desk, scope = _desk(config), _scope(where)
    table = representative(desk, scope, label, top) if telling else read(desk, scope, label, top)
    if table.rows:
        with open_store(settings) as store:
            store.record_access(account(), "ask", purpose, len(table.rows))
    _answer(table, form, output, config, has_text=True)


@ask_app.command(
    help=either(
        "Courbe d'adaptation : semaines depuis la mise en service.",
        "Adaptation curve: weeks since go-live.",
    )
)
def adaptation(
    site: Annotated[
        list[str] | None, typer.Option(help=either("Site (répétable).", "Site (repeatable)."))
    ] = None,
    label: LabelsOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say in plain sentences what changed since go-live, or give every point as JSON."""
    from dsn_nlp.analyse.curve import CURVE_LABELS
    from dsn_nlp.analyse.curve import adaptation as follow
    from dsn_nlp.analyse.wording import sentences

    curves = follow(_desk(config), site or None, _labels(label, CURVE_LABELS))
    if as_json:
        rows = [asdict(curve) for curve in curves]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return
    for sentence in sentences(curves, screen_language()):
        typer.echo(sentence)


@ask_app.command(help=either("Ce qui doit être regardé.", "What should be looked at."))
def alerts(
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Look for surges, silent sources and drifting scores."""
    from dsn_nlp.analyse.alerts import find_alerts
    from dsn_nlp.analyse.wording import alert_sentence
    from dsn_nlp.config import load_settings

    found = find_alerts(_desk(config), load_settings(config).analyse.alerts)
    if as_json:
        rows = [asdict(alert) for alert in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1, default=str))
        return
    for alert in found:
        typer.echo(alert_sentence(alert, screen_language()))
    if not found:
        typer.echo(either("Rien à signaler.", "Nothing to report."))


@ask_app.command(
    help=either(
        "Écrire les passages, sans texte, en Parquet par mois.",
        "Write passages, without text, as Parquet by month.",
    )
)
def parquet(
    folder: Annotated[
        Path, typer.Argument(help=either("Dossier où écrire.", "Folder to write to."))
    ],
    where: WhereOption = None,
    config: ConfigOption = None,
) -> None:
    """Write a folder that DuckDB, pandas and Power BI read."""
    from dsn_nlp.analyse.lake import export_parquet
    from dsn_nlp.config import load_settings
    from dsn_nlp.stages import open_store

    desk = _desk(config)
    written = export_parquet(desk, folder, _scope(where))
    with open_store(load_settings(config)) as store:
        for path in written:
            store.record_export(path, "ask", len(desk.frame()), has_text=False)
    typer.echo(either(f"{len(written)} mois : {folder}", f"{len(written)} months: {folder}"))


def _desk(config: Path | None) -> "Desk":
    from dsn_nlp.analyse.desk import open_desk
    from dsn_nlp.config import load_settings

    return open_desk(load_settings(config))


def _scope(where: Sequence[str] | None) -> "Scope":
    """Read ``--where`` filters; names may be in the singular."""
    from dsn_nlp.analyse.scope import read_scope

    found: dict[str, list[str]] = {}
    for given in where or ():
        name, equals, value = given.partition("=")
        if not equals:
            raise InputError(f"--where {given[:40]}: write KEY=VALUE, such as kind=comment")
        plural = name if name in ("since", "until") or name.endswith("s") else f"{name}s"
        found.setdefault(plural, []).append(value)
    return read_scope(found)


def _labels(given: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    for label in given or ():
        if label not in known:
            raise InputError(f"no label is named '{label[:40]}'; there are {', '.join(known)}")
    return tuple(given or known)


def _answer(
    table: "Table[Any]",
    form: Form,
    output: Path | None,
    config: Path | None,
    has_text: bool = False,
) -> None:
    """Print a table, or write it to a file and record the export."""
    from dsn_nlp.analyse.display import shown
    from dsn_nlp.analyse.headings import about_lines
    from dsn_nlp.analyse.tables import flat
    from dsn_nlp.cli.texts import Format, render

    lang = screen_language()
    if output is not None:
        _write(table, form, output, config, has_text)
    elif form == "json":
        columns, rows = flat(table)
        typer.echo(render(columns, rows, Format.json), nl=False)
    elif form in ("csv", "csv-fr"):
        from dsn_nlp.analyse.sheets import to_bytes

        content = to_bytes(table, "csv-fr" if form == "csv-fr" else "csv", lang)
        typer.echo(content.decode("utf-8-sig"), nl=False)
    else:
        columns, cells = shown(table, lang)
        typer.echo(render(columns, cells, Format.table) if cells else _nothing(table), nl=False)
        colon = "\N{NO-BREAK SPACE}: " if lang == "fr" else ": "
        typer.echo(" · ".join(f"{n}{colon}{text}" for n, text in about_lines(table.about, lang)))


def _nothing(table: "Table[Any]") -> str:
    withheld = either("Trop peu de personnes pour montrer.", "Too few people to be shown.")
    return (withheld if table.hidden else either("Rien.", "Nothing.")) + "\n"


def _write(
    table: "Table[Any]", form: Form, output: Path, config: Path | None, has_text: bool
) -> None:
    from dsn_nlp.analyse.sheets import form_of, to_bytes
    from dsn_nlp.config import load_settings
    from dsn_nlp.stages import open_store

    kind = "csv-fr" if form == "csv-fr" else form_of(output)
    content = to_bytes(table, kind, screen_language())
    try:
        output.write_bytes(content)
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror})") from None
    with open_store(load_settings(config)) as store:
        store.record_export(output, "ask", len(table.rows), has_text)
