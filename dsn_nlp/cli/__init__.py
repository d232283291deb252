"""The command line. Commands import what they need when they run, so that ``--help`` is instant."""

import os
import sys

import typer

from dsn_nlp.cli import (
    annotate,
    ask,
    explain,
    keep,
    modelling,
    models,
    operate,
    prepare,
    privacy,
    rejected,
    runs,
    screens,
    sources,
    texts,
    usage,
)
from dsn_nlp.errors import (
    AlreadyRunningError,
    ConfigError,
    CorpusError,
    DsnNlpError,
    InputError,
    QueryError,
)
from dsn_nlp.guards import close_up
from dsn_nlp.speech import either
from dsn_nlp.wordings import shown

USAGE_ERRORS = (ConfigError, CorpusError, InputError, QueryError)

# EX_TEMPFAIL of sysexits.h: nothing is wrong, ask again later. A timer need not call it a failure.
ALREADY_RUNNING = 75

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=either(
        "Recueille nouvelles et commentaires du personnel sur le Dossier santé numérique, "
        "et en étiquette les plaintes et le ton.",
        "Gathers news and staff comments on Québec's Dossier santé numérique, and labels "
        "complaints and sentiment.",
    ),
)
operate.add_to(app)
runs.add_to(app)
keep.add_to(app)
sources.add_to(app)
texts.add_to(app)
explain.add_to(app)
prepare.add_to(app)
modelling.add_to(app)
models.add_to(app)
annotate.add_to(app)
ask.add_to(app)
screens.add_to(app)
privacy.add_to(app)
rejected.add_to(app)


def _show_version(asked: bool) -> None:
    if asked:
        from dsn_nlp import __version__

        typer.echo(f"dsn-nlp {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False,
        "--version",
        callback=_show_version,
        is_eager=True,
        help=either("Dire la version.", "Tell the version."),
    ),
) -> None:
    del version


def main() -> None:
    """Run the command line; every failure is one line on standard error and an exit code.

    2: bad input, settings or query; 75: a night is at work already; 1: anything else that failed.
    """
    close_up()
    try:
        sys.exit(usage.run_command(app, sys.argv[1:]))
    except DsnNlpError as error:
        print(f"dsn-nlp: {shown(error)}", file=sys.stderr)
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("DSN_NLP_DEBUG"):
            raise
        # A foreign message may quote an input, so only its type is shown.
        kind = type(error).__name__
        told = either(
            f"{kind} inattendu; relancez avec DSN_NLP_DEBUG=1 pour les détails "
            "(ils peuvent contenir du texte)",
            f"unexpected {kind}; run again with DSN_NLP_DEBUG=1 for the details (they may hold "
            "input text)",
        )
        print(f"dsn-nlp: {told}", file=sys.stderr)
        sys.exit(1)


def _exit_code(error: DsnNlpError) -> int:
    if isinstance(error, AlreadyRunningError):
        return ALREADY_RUNNING
    return 2 if isinstance(error, USAGE_ERRORS) else 1
