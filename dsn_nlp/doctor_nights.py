"""Checks of what nights need besides the installation: schema, disk, clock, schedule, Prefect."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from dsn_nlp.config import Settings
from dsn_nlp.findings import Finding
from dsn_nlp.speech import either, screen_language
from dsn_nlp.store.engine import parse_url

MIN_FREE_BYTES = 1_000_000_000
LATE = timedelta(hours=30)  # a night a day, and some slack for a long one
MAX_SKEW = timedelta(minutes=2)
ZONE = "America/Toronto"
# What turns telemetry off, the usual word first; dsn-nlp sets it where nobody has.
TELEMETRY = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": ("false", "0", "no"),
    "DO_NOT_TRACK": ("1", "true", "yes"),
}


def check_schema(settings: Settings) -> Iterator[Finding]:
    """Tell which schema the store is in, before opening it brings it forward."""
    from dsn_nlp.store.engine import writing_engine
    from dsn_nlp.store.failures import translated
    from dsn_nlp.store.migrate import head, revision_of

    url = parse_url(settings.store.url.get_secret_value())
    subject = either("schéma", "schema")
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        yield Finding("ok", subject, either("l'entrepôt sera créé", "the store will be made"))
        return
    engine = writing_engine(url)
    try:
        with translated("store"), engine.connect() as connection:
            found, clock = revision_of(connection), _clock_of(connection)
    finally:
        engine.dispose()
    if found == head():
        yield Finding("ok", subject, found)
    else:
        advice = either(
            f"{found or '—'}, sera porté à {head()} : dsn-nlp backup d'abord",
            f"{found or '—'}, will be brought to {head()}: dsn-nlp backup first",
        )
        yield Finding("warning", subject, advice)
    if clock is not None:
        yield _compare_clocks(either("horloge de la base", "database's clock"), clock)


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Tell how much room there is where the store, the key and exports lie."""
    url = parse_url(settings.store.url.get_secret_value())
    folders = {settings.key_file.parent}
    if url.get_backend_name() == "sqlite":
        folders.add(Path(str(url.database)).parent)
    if settings.run.export is not None:
        folders.add(settings.run.export)
    seen: set[int] = set()
    for folder in sorted(map(_nearest, folders)):
        device = folder.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        enough = free > MIN_FREE_BYTES
        advice = "" if enough else either(" : libérer de la place", ": make room")
        size = either(f"{free / 1e9:.1f} Go".replace(".", ","), f"{free / 1e9:.1f} GB")
        subject = either("disque", "disk")
        yield Finding("ok" if enough else "error", subject, f"{size} ({folder}){advice}")
        if not os.access(folder, os.W_OK):
            yield Finding("error", subject, f"{folder}: " + either("lecture seule", "read-only"))


def check_clock(settings: Settings) -> Iterator[Finding]:
    """Tell Québec's time, and whether the clock has gone back since the newest night began."""
    from dsn_nlp.store import Store

    subject = either("horloge", "clock")
    try:
        here = datetime.now(ZoneInfo(ZONE))
    except ZoneInfoNotFoundError:
        advice = either("installer tzdata", "install tzdata")
        yield Finding("error", subject, f"{ZONE} : {advice}")
        return
    yield Finding("ok", subject, f"{here:%Y-%m-%d %H:%M} {ZONE} (UTC{here:%z})")
    with Store.open(settings.store.url.get_secret_value()) as store:
        newest = store.runs(1)
    if newest and newest[0]["started_at"] > datetime.now(UTC) + MAX_SKEW:
        advice = either(
            f"elle retarde sur la dernière nuit ({newest[0]['run_id']}) : corriger, puis NTP",
            f"it is behind the last night ({newest[0]['run_id']}): set it right, and use NTP",
        )
        yield Finding("error", subject, advice)


def check_schedule(settings: Settings) -> Iterator[Finding]:
    """Tell when a night was last published, and what to do when that is long ago."""
    from dsn_nlp.store import Store
    from dsn_nlp.watch.night import banner

    subject = either("horaire", "schedule")
    with Store.open(settings.store.url.get_secret_value()) as store:
        nights = [run for run in store.runs(50) if run["status"] == "published"]
        alarms = banner(store)
    if not nights:
        advice = either("aucune nuit encore : dsn-nlp run", "no night yet: dsn-nlp run")
        yield Finding("warning", subject, advice)
        return
    last = nights[0]["finished_at"].astimezone(ZoneInfo(ZONE))
    told = either(f"dernière nuit {last:%Y-%m-%d %H:%M}", f"last night {last:%Y-%m-%d %H:%M}")
    if datetime.now(UTC) - last > LATE:
        advice = either(
            f"{told} : dsn-nlp serve, ou voir deploy/", f"{told}: dsn-nlp serve, or see deploy/"
        )
        yield Finding("warning", subject, advice)
    else:
        yield Finding("ok", subject, told)
    for alarm in alarms:
        yield Finding("warning", either("veille", "watch"), alarm.line(screen_language()))


def check_prefect(_settings: Settings) -> Iterator[Finding]:
    """Tell whether the configured Prefect server answers, and whether telemetry is off."""
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        told = either(
            "aucun serveur configuré (PREFECT_API_URL) : la nuit s'en passe",
            "no server configured (PREFECT_API_URL): nights do without",
        )
        yield Finding("ok", "Prefect", told)
    else:
        yield _ask_server(address)
    for name, off in TELEMETRY.items():
        if os.environ.get(name, off[0]).lower() not in off:
            advice = either(f"mettre {name}={off[0]}", f"set {name}={off[0]}")
            yield Finding("warning", name, advice)


def _ask_server(address: str) -> Finding:
    import httpx

    try:
        answer = httpx.get(f"{address}/admin/version", timeout=5, trust_env=False)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        advice = either(
            f"{address} : ne répond pas ({type(error).__name__}) ; démarrer le serveur, "
            "ou retirer PREFECT_API_URL",
            f"{address}: does not answer ({type(error).__name__}); start the server, or unset "
            "PREFECT_API_URL",
        )
        return Finding("error", "Prefect", advice)
    return Finding("ok", "Prefect", f"{address} ({answer.json()})")


def _clock_of(connection: sa.Connection) -> datetime | None:
    """Read PostgreSQL's clock; SQLite has none of its own."""
    if connection.dialect.name != "postgresql":
        return None
    moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment


def _compare_clocks(subject: str, other: datetime) -> Finding:
    apart = abs(datetime.now(UTC) - other)
    if apart <= MAX_SKEW:
        return Finding("ok", subject, f"±{apart.total_seconds():.0f} s")
    advice = either("régler les deux par NTP", "set both by NTP")
    return Finding("warning", subject, f"±{apart.total_seconds():.0f} s : {advice}")


def _nearest(folder: Path) -> Path:
    """Find the folder, or the first of its parents that is there."""
    folder = folder.absolute()
    return folder if folder.exists() else _nearest(folder.parent)
