"""Commands that show: dashboard, report, demo."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dsn_nlp.cli.texts import ConfigOption
from dsn_nlp.errors import ConfigError, InputError
from dsn_nlp.speech import either

if TYPE_CHECKING:
    from dsn_nlp.config import Settings

LOOPBACK = ("127.0.0.1", "localhost")
_CORPORA = Path(__file__).resolve().parents[2] / "corpora" / "labelled"
HostOption = Annotated[
    str, typer.Option(help=either("Adresse où écouter.", "Address to listen on."))
]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(
        help=either(
            "Ouvrir le tableau de bord dans un navigateur.", "Serve the dashboard to browsers."
        )
    )(dashboard)
    app.command(
        help=either("Écrire le rapport d'une nuit (HTML).", "Write the report of a night (HTML).")
    )(report)
    app.command(
        help=either(
            "Construire une démonstration : une demi-année de nuits inventées.",
            "Build a demonstration: half a year of invented nights.",
        )
    )(demo)


def dashboard(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8060,
    open_: Annotated[
        bool,
        typer.Option(
            "--open",
            help=either(
                "Sans mot de passe ; sur cette machine seulement.",
                "Without a password; on this machine only.",
            ),
        ),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Serve the dashboard until stopped."""
    from dsn_nlp.config import load_settings

    _serve(load_settings(config), host, port, open_)


def report(
    run: Annotated[
        str | None,
        typer.Option("--run", help=either("Début de l'identifiant.", "How the run's id begins.")),
    ] = None,
    lang: Annotated[
        Literal["fr", "en"] | None,
        typer.Option(help=either("Une langue seulement.", "One language only.")),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=either("Dossier.", "Folder.")),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write what changed, alerts, five passages and data quality as one page a language."""
    from dsn_nlp.config import load_settings
    from dsn_nlp.reporting import write_reports

    settings = load_settings(config)
    folder = output or settings.run.reports or Path("reports")
    for path in write_reports(settings, folder, run, (lang,) if lang else ("fr", "en")):
        typer.echo(path)


def demo(
    folder: Annotated[
        Path, typer.Option(help=either("Où la construire.", "Where to build it."))
    ] = Path("var/demo"),
    serve: Annotated[
        bool,
        typer.Option(
            "--serve", help=either("Puis servir le tableau de bord.", "Then serve the dashboard.")
        ),
    ] = False,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8060,
    small: Annotated[
        bool, typer.Option("--small", help=either("Six semaines.", "Six weeks."))
    ] = False,
) -> None:
    """Fill a store of its own with invented nights; every page says that they are."""
    from dsn_nlp.cli.texts import models_folder
    from dsn_nlp.demo.build import build_demo
    from dsn_nlp.demo.story import NIGHTS
    from dsn_nlp.reporting import write_reports

    def tell(done: int, total: int) -> None:
        if done == total or done % 2048 == 0:
            typer.echo(either(f"  étiquetés : {done}/{total}", f"  labelled: {done}/{total}"))

    nights, scale = (42, 0.5) if small else (NIGHTS, 1.0)
    settings = build_demo(folder, models_folder(), _CORPORA, nights, scale, tell)
    if settings.run.reports:
        for path in write_reports(settings, settings.run.reports):
            typer.echo(path)
    command = f"dsn-nlp dashboard --open --config {folder / 'dsn.toml'}"
    typer.echo(either(f"Prêt : {command}", f"Ready: {command}"))
    if serve:
        _serve(settings, host, port, open_=True)


def _serve(settings: "Settings", host: str, port: int, open_: bool) -> None:
    if open_ and host not in LOOPBACK:
        raise InputError("--open goes with --host 127.0.0.1 only: comments would lie open")
    import uvicorn

    from dsn_nlp.analyse.dashboard.app import make_app

    if (
        settings.dashboard.secure_cookies
        and host not in LOOPBACK
        and not settings.dashboard.proxies
    ):
        raise ConfigError(
            "sign-in needs HTTPS: put a reverse proxy before 127.0.0.1, or set "
            "dashboard.secure_cookies = false where the network itself is closed"
        )
    app = make_app(settings, open_=open_)
    typer.echo(either("Tableau de bord : ", "Dashboard: ") + f"http://{host}:{port}/")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=3,
    )  # fmt: skip
