"""The stage after publishing: write the night's export and report, and tell people by e-mail.

What fails here never undoes the night: readers already see it.
"""

import json
import logging
import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from dsn_nlp.bounds import contained
from dsn_nlp.config import Settings
from dsn_nlp.config_screens import MailSettings
from dsn_nlp.errors import ConfigError, DsnNlpError, InputError, StoreError
from dsn_nlp.records import Language
from dsn_nlp.store import Store

logger = logging.getLogger(__name__)
MEMORY = "alerts.json"
LANGUAGES: tuple[Language, ...] = ("fr", "en")
_SECONDS = 30
Remembered = dict[str, dict[str, Any]]


def report_night(settings: Settings, run_id: str) -> list[Path]:
    """Write export and reports of a night just published, where folders are named for them.

    :return: the reports written; none where it failed, which the log says.
    """
    _export_night(settings, run_id)
    if settings.run.reports is None:
        return []
    try:
        return contained(write_reports)(settings, settings.run.reports, run_id, mailed=True)
    except DsnNlpError as error:
        logger.warning("run %s: no report (%s)", run_id, error)
        return []


def _export_night(settings: Settings, run_id: str) -> None:
    if settings.run.export is None:
        return
    from dsn_nlp.analyse.export import export_passages

    try:
        contained(export_passages)(settings.store.url.get_secret_value(), settings.run.export)
    except DsnNlpError as error:
        logger.warning("run %s: no export (%s)", run_id, error)


def write_reports(
    settings: Settings,
    folder: Path,
    run: str | None = None,
    langs: Sequence[Language] = LANGUAGES,
    *,
    mailed: bool = False,
) -> list[Path]:
    """Write the report of the newest published night, or name the kept one of an earlier night.

    :param run: how the run's id begins; the newest one by default.
    :param mailed: whether people are told by e-mail, too.
    :return: a file a language.
    :raises InputError: when there is no such night, or its report was not kept.
    :raises StoreError: when the store cannot be read or the folder not written.
    """
    from dsn_nlp.analyse.desk import open_desk
    from dsn_nlp.analyse.report import TELLING, make_report

    desk = open_desk(settings)
    edition = desk.edition()
    if edition.run_id is None or edition.published_at is None:
        raise InputError("no night is published yet; run dsn-nlp run")
    if run and not edition.run_id.startswith(run):
        return _kept(folder, run, langs)
    with Store.open(settings.store.url.get_secret_value()) as store:
        night = _night(settings, desk, store, edition.run_id, edition.published_at, folder)
        written = [
            _write(folder, night.run_id, lang, make_report(desk, night, lang)) for lang in langs
        ]
        for path in written:
            store.record_export(path, "report", TELLING, has_text=True)
    if mailed and settings.mail.host:
        _mail_of(settings, night)
    return written


def _night(
    settings: Settings, desk: Any, store: Store, run_id: str, published_at: datetime, folder: Path
) -> Any:
    from dsn_nlp.analyse.alerts import find_alerts
    from dsn_nlp.analyse.report import Night
    from dsn_nlp.analyse.wording import alert_sentence
    from dsn_nlp.watch.alerts import read_alert

    measures = store.measures_of([run_id]).get(run_id, {})
    found = find_alerts(desk, settings.analyse.alerts)
    keys = ["|".join(alert.key) for alert in found]
    new = remember_alerts(folder, run_id, keys, settings.analyse.alerts.quiet_nights)
    row = store.find_run(run_id) or {}
    return Night(
        run_id=run_id,
        published_at=published_at,
        counts=row.get("counts") or {},
        measures=measures,
        alerts=[
            ({lang: alert_sentence(alert, lang) for lang in LANGUAGES}, key in new)
            for alert, key in zip(found, keys, strict=True)
        ],
        watch=[
            {lang: read_alert(record).line(lang) for lang in LANGUAGES}
            for record in measures.get("alerts", [])
        ],
    )


def remember_alerts(
    folder: Path, run_id: str, keys: Sequence[str], quiet_nights: int
) -> frozenset[str]:
    """Tell which alerts are new, and remember tonight's.

    One that goes on is not new again; it ends after so many nights without it. The same night
    asked again gives the same answer.

    :raises StoreError: when the memory cannot be written.
    """
    path = folder / MEMORY
    known = _read_memory(path)
    for key in keys:
        one = known.setdefault(key, {"since": run_id, "away": 0, "seen": run_id})
        one |= {"away": 0, "seen": run_id}
    for key, one in list(known.items()):
        if key not in keys and one.get("last") != run_id:
            one["away"] += 1
        one["last"] = run_id
        if one["away"] >= quiet_nights:
            del known[key]
    _replace(path, json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True))
    return frozenset(key for key in keys if known[key]["since"] == run_id)


def compose(mail: MailSettings, night: Any, report_url: str | None) -> EmailMessage:
    """Write the e-mail of a night: counts and alerts, no passage."""
    lang = mail.lang
    french = lang == "fr"
    lines = [told[lang] for told, new in night.alerts if new] + [t[lang] for t in night.watch]
    lasting = [told[lang] for told, new in night.alerts if not new]
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, ", ".join(mail.to)
    day = night.published_at.date().isoformat()
    head = f"DSN, nuit du {day}" if french else f"DSN, night of {day}"
    message["Subject"] = (
        f"{head} : {len(lines)} alerte(s)" if french else f"{head}: {len(lines)} alert(s)"
    )
    body = [", ".join(f"{name} {count}" for name, count in night.counts.items()), ""]
    body += [f"* {line}" for line in lines] or [
        "Rien à signaler." if french else "Nothing to report."
    ]
    if lasting:
        body += ["", "Se poursuit :" if french else "Goes on:", *(f"* {line}" for line in lasting)]
    if report_url:
        body += ["", report_url.replace("{run}", night.run_id)]
    message.set_content("\n".join(body) + "\n")
    return message


def send(mail: MailSettings, message: EmailMessage) -> None:
    """Send an e-mail.

    :raises ConfigError: when the password's environment variable is not set.
    :raises StoreError: when the server does not take it.
    """
    secret = os.environ.get(mail.password_env, "") if mail.password_env else ""
    if mail.password_env and not secret:
        raise ConfigError(f"mail.password_env: {mail.password_env} is not set")
    context = ssl.create_default_context()
    try:
        if mail.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                mail.host, mail.port, timeout=_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(mail.host, mail.port, timeout=_SECONDS)
        with server:
            if mail.security == "starttls":
                server.starttls(context=context)
            if mail.user:
                server.login(mail.user, secret)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise StoreError(
            f"mail: {mail.host}:{mail.port} did not take the message ({type(error).__name__})"
        ) from None


def _mail_of(settings: Settings, night: Any) -> None:
    """Tell people; what fails is logged, since the night and its report stand."""
    anything = night.watch or any(new for _, new in night.alerts)
    if settings.mail.only_alerts and not anything:
        return
    try:
        send(settings.mail, compose(settings.mail, night, settings.watch.report_url))
    except DsnNlpError as error:
        logger.warning("run %s: %s", night.run_id, error)


def _kept(folder: Path, run: str, langs: Sequence[Language]) -> list[Path]:
    found = [path for lang in langs for path in sorted(folder.glob(f"*.{lang}.html"))]
    kept = [path for path in found if path.name.startswith(run)]
    if not kept:
        raise InputError(
            f"--run {run[:40]}: {folder} keeps no report of it, and only the newest published "
            "night can be written anew"
        )
    return kept


def _write(folder: Path, run_id: str, lang: Language, page: str) -> Path:
    path = folder / f"{run_id}.{lang}.html"
    _replace(path, page)
    return path


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); see run.reports") from None


def _read_memory(path: Path) -> Remembered:
    try:
        known: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the first night, or a memory that was damaged: alerts are told once more
    return {k: dict(v) for k, v in known.items() if isinstance(v, dict) and "since" in v}
