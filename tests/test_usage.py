"""A wrong command line: one line, code 2, in the screen's language; and help without a gap."""

from typing import Any

import pytest
import typer
from typer.main import get_command

from dsn_nlp.cli import app
from dsn_nlp.cli.usage import run_command

WRONG = [
    ("nope", "n'existe pas", "No such command", "dsn-nlp --help"),
    ("serv", "pensiez-vous à", "Did you mean", "dsn-nlp --help"),
    ("run --nope", "l'option --nope n'existe pas", "No such option", "dsn-nlp run --help"),
    ("ask words", "il manque l'argument", "Missing argument", "dsn-nlp ask words --help"),
    ("ask words security --top x", "un nombre entier", "a valid integer", "ask words --help"),
    ("ask words security --top 0", "au moins 1", "greater than or equal to 1", "--help"),
    ("run again", "de trop", "unexpected extra argument", "dsn-nlp run --help"),
    ("annotate export --format zip a", "n'est pas un choix", "is not one of", "--help"),
    ("run --config", "veut une valeur", "requires an argument", "--help"),
]


@pytest.mark.parametrize(("words", "french", "english", "way_out"), WRONG)
def test_wrong_command_lines_are_one_line(
    words: str, french: str, english: str, way_out: str, capsys: Any, speak: Any
) -> None:
    for lang, wording in (("fr", french), ("en", english)):
        speak(lang)
        assert run_command(app, words.split()) == 2
        line = capsys.readouterr().err
        assert wording in line
        assert way_out in line
        assert line.startswith("dsn-nlp: ")
        assert line.count("\n") == 1


def test_group_without_a_command_shows_its_help(capsys: Any) -> None:
    assert run_command(app, ["ask"]) == 2
    shown = capsys.readouterr()
    assert "press" in shown.out + shown.err
    assert "dsn-nlp:" not in shown.err


def test_a_question_that_is_not_answered_is_no_failure_of_ours(capsys: Any, speak: Any) -> None:
    asking = typer.Typer()

    @asking.command()
    def ask() -> None:
        raise typer.Abort

    for lang, line in (("fr", "dsn-nlp: abandonné\n"), ("en", "dsn-nlp: aborted\n")):
        speak(lang)
        assert run_command(asking, []) == 1
        assert capsys.readouterr().err == line


def commands(command: Any, path: str = "dsn-nlp") -> list[tuple[str, Any]]:
    below = getattr(command, "commands", {}).items()
    return [(path, command), *(one for n, c in below for one in commands(c, f"{path} {n}"))]


def test_every_option_and_command_has_its_help() -> None:
    silent = [
        f"{path} {parameter.opts[0]}"
        for path, command in commands(get_command(app))
        for parameter in command.get_params(typer.Context(command))
        if not parameter.help
    ]
    assert silent == []
    assert [path for path, command in commands(get_command(app)) if not command.help] == []
