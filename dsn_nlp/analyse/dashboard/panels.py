"""Panels: one question each, with its table, its chart and its words. Pages, exports and the JSON
API all show the same ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from dsn_nlp.analyse.cells import TOTAL
from dsn_nlp.analyse.changes import what_changed
from dsn_nlp.analyse.dashboard.charts import Look, Point, Series, dot_chart, line_chart
from dsn_nlp.analyse.dashboard.view import View
from dsn_nlp.analyse.desk import Desk
from dsn_nlp.analyse.display import day, shown
from dsn_nlp.analyse.estimates import LABELS, NET
from dsn_nlp.analyse.headings import label_name
from dsn_nlp.analyse.press import press_against_staff, voices_divide, who_leads
from dsn_nlp.analyse.shares import shares
from dsn_nlp.analyse.tables import ShareRow, Table
from dsn_nlp.analyse.themes import themes
from dsn_nlp.analyse.together import co_occurrence
from dsn_nlp.analyse.words import bearing_words
from dsn_nlp.records import COMPLAINTS, Language

Ask = Callable[[Desk, View], Table[Any]]
Draw = Callable[[Table[Any], View, Look], Markup]
_ROWS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Question:
    """One panel's question.

    :ivar names: title in French and English; ``{label}`` is the label's name.
    :ivar notes: what one should know to read it, in both.
    :ivar draw: its chart, where it has one.
    """

    ask: Ask
    names: tuple[str, str]
    notes: tuple[str, str] = ("", "")
    draw: Draw | None = None

    def title(self, view: View) -> str:
        """The title in the screen's language."""
        name = self.names[0 if view.lang == "fr" else 1]
        label = label_name(view.label, view.lang)
        return name.format(label=label, days=view.days)


@dataclass(frozen=True, slots=True)
class Panel:
    """A question answered, ready for a page."""

    key: str
    title: str
    note: str
    chart: Markup | None
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    table: Table[Any]
    more: int = 0


def make_panel(desk: Desk, key: str, view: View) -> Panel:
    """Answer a question for a page; once a published night.

    :raises StoreError: when the store cannot be read.
    """
    desk.frame()

    def make() -> Panel:
        question = QUESTIONS[key]
        table = ask(desk, key, view)
        columns, rows = _for_eyes(table, view.lang)
        title = question.title(view)
        chart = question.draw(table, view, look_of(key, view)) if question.draw else None
        some = rows[:_ROWS_SHOWN]
        note = _note(question, table, view.lang)
        return Panel(key, title, note, chart, columns, some, table, len(rows) - len(some))

    return desk.remember(("panel", key, view), make)


def ask(desk: Desk, key: str, view: View) -> Table[Any]:
    """Answer a question of the registry.

    :raises StoreError: when the store cannot be read.
    """
    desk.frame()
    return desk.remember(("asked", key, view), lambda: QUESTIONS[key].ask(desk, view))


def look_of(key: str, view: View) -> Look:
    """How a question's chart is worded."""
    title = QUESTIONS[key].title(view)
    words = (
        "Parts avec intervalles à 95 % ; les mêmes chiffres sont dans le tableau qui suit.",
        "Shares with 95% intervals; the same figures are in the table that follows.",
    )
    net = view.label == NET and key in ("trend", "sites", "roles", "adaptation")
    return Look(f"chart-{key}", title, words[0 if view.lang == "fr" else 1], view.lang, net)


def tiles(desk: Desk, view: View) -> list[Mapping[str, Any]]:
    """The first figures of a page: every complaint and net sentiment, and whether they changed."""
    now = {row.label: row for row in shares(desk, view.scope).rows}
    moved = {row.label: row for row in ask(desk, "changes_all", view).rows}
    return [
        {
            "label": label,
            "name": label_name(label, view.lang),
            "row": now.get(label),
            "change": moved.get(label),
            "address": view.but(label=label).address(),
        }
        for label in (*COMPLAINTS, NET)
    ]


def moment_name(value: str, by: str, lang: Language) -> str:
    """A day, week or month, short enough for an axis."""
    if not value or by == "since_golive":
        return value
    when = date.fromisoformat(value)
    months = _MONTHS[0 if lang == "fr" else 1]
    if by == "month":
        return f"{months[when.month - 1]} {when.year}"
    return (
        f"{when.day} {months[when.month - 1]}"
        if lang == "fr"
        else f"{months[when.month - 1]} {when.day}"
    )


_MONTHS = (
    ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.",
     "déc."),
    ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec"),
)  # fmt: skip


def group_name(value: str, lang: Language) -> str:
    """A group as a chart names it."""
    if value == TOTAL:
        return "Ensemble" if lang == "fr" else "All"
    if value == "":
        return "Non précisé" if lang == "fr" else "Not stated"
    return label_name(value, lang)


def _note(question: Question, table: Table[Any], lang: Language) -> str:
    notes = question.notes
    if notes is _CORRECTED and not table.about.corrected:
        notes = _COUNTED
    return notes[0 if lang == "fr" else 1]


def _for_eyes(table: Table[Any], lang: Language) -> tuple[list[str], list[list[str]]]:
    """A table's text; of one label alone, what it is cut by and its share come first."""
    columns, rows = shown(table, lang)
    if (
        not rows
        or not table.by
        or {getattr(row, "label", "") for row in table.rows} != {table.rows[0].label}
    ):
        return columns, rows
    label, share = len(table.by), len(columns) - 1
    order = [*range(label), share, *range(label + 1, share)]
    for row in rows:
        row[0] = _moment(row[0], table.by[0], lang)
    return [columns[i] for i in order], [[row[i] for i in order] for row in rows]


def _moment(value: str, by: str, lang: Language) -> str:
    """A day written out; what is not one stays."""
    try:
        return day(date.fromisoformat(value), lang)
    except ValueError:
        return value


def _by(dimension: str) -> Ask:
    def asked(desk: Desk, view: View) -> Table[Any]:
        by = view.by if dimension == "moment" else dimension
        return shares(desk, view.scope, (by,), (view.label,))

    return asked


def _draw_line(table: Table[Any], view: View, look: Look) -> Markup:
    by = table.by[0]
    rows: Sequence[ShareRow] = [r for r in table.rows if r.group != (TOTAL,)]
    points = [Point(moment_name(r.group[0], by, view.lang), r.share) for r in rows]
    return line_chart(Series("", points), look)


def _draw_groups(table: Table[Any], view: View, look: Look) -> Markup:
    points = [Point(group_name(r.group[0], view.lang), r.share) for r in table.rows]
    return dot_chart([Series("", points[-25:])], look)


def _draw_two(french: tuple[str, str], english: tuple[str, str]) -> Draw:
    def draw(table: Table[Any], view: View, look: Look) -> Markup:
        names = french if view.lang == "fr" else english
        rows = [row for row in table.rows if row.label in COMPLAINTS]
        sides = [
            [Point(label_name(row.label, view.lang), getattr(row, side)) for row in rows]
            for side in ("first", "second")
        ]
        return dot_chart([Series(n, s) for n, s in zip(names, sides, strict=True)], look)

    return draw


_CORRECTED = (
    "Parts corrigées des erreurs mesurées du modèle, avec leur intervalle à 95 %. ▒ : trop peu de "
    "personnes pour montrer.",
    "Shares corrected for the model's measured errors, with their 95% interval. ▒: too few people "
    "to be shown.",
)
_COUNTED = (
    "Parts comptées, avec leur intervalle à 95 % : le modèle en service n'a pas de profil "
    "d'erreurs pour les corriger. ▒ : trop peu de personnes pour montrer.",
    "Counted shares with their 95% interval: the serving model has no error profile to correct "
    "them with. ▒: too few people to be shown.",
)
_TESTED = (
    "Une hausse ou un recul n'est dit que là où un test tient (taux de fausses découvertes 5 %).",
    "A rise or fall is told only where a test holds (false discovery rate 5%).",
)
QUESTIONS: dict[str, Question] = {
    "trend": Question(
        _by("moment"), ("{label} au fil du temps", "{label} over time"), _CORRECTED, _draw_line
    ),
    "sites": Question(
        _by("site"), ("{label} par établissement", "{label} by site"), _CORRECTED, _draw_groups
    ),
    "roles": Question(
        _by("role"), ("{label} par rôle", "{label} by role"), _CORRECTED, _draw_groups
    ),
    "labels": Question(
        lambda desk, view: shares(desk, view.scope, (), LABELS),
        ("Toutes les étiquettes", "All labels"), _CORRECTED,
    ),
    "changes": Question(
        lambda desk, view: what_changed(desk, view.scope, ("site",), view.days),
        ("Ce qui a changé, {days} derniers jours", "What changed, last {days} days"), _TESTED,
    ),
    "changes_all": Question(
        lambda desk, view: what_changed(desk, view.scope, (), view.days),
        ("Ce qui a changé dans l'ensemble", "What changed overall"), _TESTED,
    ),
    "adaptation": Question(
        _by("since_golive"),
        ("{label} par semaine depuis la mise en service", "{label} by week since go-live"),
        _CORRECTED, _draw_line,
    ),
    "press": Question(
        lambda desk, view: press_against_staff(desk, view.scope),
        ("La presse et le personnel", "The press and the staff"),
        ("Écart : le personnel moins la presse.", "Difference: staff less press."),
        _draw_two(("Presse", "Personnel"), ("Press", "Staff")),
    ),
    "leads": Question(
        lambda desk, view: who_leads(desk, view.scope),
        ("Qui en parle d'abord", "Who speaks of it first"),
        ("Jours d'avance de la presse ; négatif : le personnel la précède ; – : non démontré.",
         "Days by which the press leads; negative: the staff do; –: not demonstrated."),
    ),
    "voices": Question(
        lambda desk, view: voices_divide(desk, view.scope),
        ("Le personnel soignant et la direction", "Care staff and management"),
        ("Écart : la direction moins le personnel soignant ; celui du ton net est l'indice de "
         "fracture.",
         "Difference: management less care staff; that of net sentiment is the divide index."),
        _draw_two(("Personnel soignant", "Direction"), ("Care staff", "Management")),
    ),
    "words": Question(
        lambda desk, view: bearing_words(desk, _spoken(view.label), view.scope, view.lang),
        ("Mots qui distinguent : {label}", "Words that set apart: {label}"),
        ("Mots et paires de mots plus fréquents dans ces passages que dans les autres.",
         "Words and pairs that these passages hold more than others."),
    ),
    "themes": Question(
        lambda desk, view: themes(desk, _spoken(view.label), view.scope, view.lang, view.days),
        ("Thèmes : {label}", "Themes: {label}"), _TESTED,
    ),
    "pairs": Question(
        lambda desk, view: co_occurrence(desk, view.scope),
        ("Plaintes qui vont ensemble", "Complaints that come together"),
        ("Rapport au-dessus de 1 : plus souvent ensemble que par hasard.",
         "Lift above 1: together more often than by chance."),
    ),
}  # fmt: skip


def _spoken(label: str) -> str:
    """Words are of a label that passages are told to have; net sentiment is none."""
    return "negative" if label == NET else label
