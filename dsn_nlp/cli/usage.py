"""Typer's own words in the screen's language; a wrong command line told in one line, as ours are.

Typer 0.29 has no translations: what is set here is the least that covers help and usage errors.
"""

from collections.abc import Sequence
from typing import Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from dsn_nlp.speech import either, screen_language
from dsn_nlp.wordings import shown

# What rich_utils heads its panels and marks with.
_FRENCH_HEADINGS = {
    "COMMANDS_PANEL_TITLE": "Commandes",
    "DEFAULT_STRING": "[par défaut\N{NO-BREAK SPACE}: {}]",
    "ENVVAR_STRING": "[variable\N{NO-BREAK SPACE}: {}]",
    "REQUIRED_LONG_STRING": "[requis]",
}


def run_command(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run the command line of ``app``.

    :param arguments: without the program's name.
    :return: the exit code; 2 for a command line that is wrong, which is told on standard error.
    """
    command: Any = get_command(app)
    _explain_help(command)
    if _shows_help(command, arguments):
        _head_panels()
    try:
        code = command(list(arguments), prog_name="dsn-nlp", standalone_mode=False)
    except TyperException as error:
        if line := told(error):
            typer.echo(line, err=True)
        return error.exit_code
    except typer.Abort:
        typer.echo(either("dsn-nlp: abandonné", "dsn-nlp: aborted"), err=True)
        return 1
    return code if isinstance(code, int) else 0


def _shows_help(command: Any, arguments: Sequence[str]) -> bool:
    """Whether help is asked for, or a group named alone shows its own.

    Its panels are rich's, whose import would cost every other command a tenth of a second.
    """
    if "--help" in arguments:
        return True
    for word in arguments:
        command = getattr(command, "commands", {}).get(word)
    return hasattr(command, "commands")


def told(error: TyperException) -> str:
    """Say in one line what is wrong with a command line, and where its help is."""
    message = error.format_message().strip()
    if not message:  # a group without a command has shown its help
        return ""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "dsn-nlp"
    lines = shown(message.rstrip(".")).splitlines()
    return f"dsn-nlp: {' '.join(lines)} (" + either("voyez", "see") + f" {path} --help)"


def _explain_help(command: Any) -> None:
    option = command.get_help_option(typer.Context(command))
    option.help = either("Montrer cette aide.", "Show this help.")
    for below in getattr(command, "commands", {}).values():
        _explain_help(below)


def _head_panels() -> None:
    if screen_language() == "fr":
        from typer import rich_utils

        for name, wording in _FRENCH_HEADINGS.items():
            setattr(rich_utils, name, wording)
