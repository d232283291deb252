"""The report of a night, alerts that are told once, and the e-mail."""

import shutil
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsn_nlp.analyse.report import Night
from dsn_nlp.config import load_settings
from dsn_nlp.config_screens import MailSettings
from dsn_nlp.errors import ConfigError, StoreError
from dsn_nlp.reporting import compose, remember_alerts, report_night, send
from dsn_nlp.store import Store
from tests.conftest import Installation

NIGHT = Night(
    run_id="20261101T090000Z-aaaa",
    published_at=datetime(2026, 11, 1, 9, tzinfo=UTC),
    counts={"documents": 12, "passages": 40},
    alerts=[
        ({"fr": "À Fleury, ça monte.", "en": "At Fleury, a surge."}, True),
        ({"fr": "Ailleurs, ça dure.", "en": "Elsewhere, it lasts."}, False),
    ],
)


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        body = None
        for line in self.rfile:
            word = line.strip().upper()[:4]
            if body is not None:
                if line == b".\r\n":
                    self.server.letters.append(b"".join(body))  # type: ignore[attr-defined]
                    body = None
                    self.wfile.write(b"250 ok\r\n")
                else:
                    body.append(line)
            elif word == b"DATA":
                body = []
                self.wfile.write(b"354 go on\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mailbox() -> Iterator[socketserver.TCPServer]:
    with socketserver.TCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def settings_of(port: int, **more: object) -> MailSettings:
    given = {"host": "127.0.0.1", "port": port, "security": "none", "to": ["ana@example.org"]}
    return MailSettings.model_validate(given | more)


def test_an_alert_is_new_once_while_it_lasts(tmp_path: Path) -> None:
    told = [remember_alerts(tmp_path, f"run{n}", ["a"], 2) for n in range(3)]
    assert told == [{"a"}, frozenset(), frozenset()]
    assert remember_alerts(tmp_path, "run3", [], 2) == frozenset()
    assert remember_alerts(tmp_path, "run4", ["a"], 2) == frozenset()
    for n in (5, 6):
        remember_alerts(tmp_path, f"run{n}", [], 2)
    assert remember_alerts(tmp_path, "run7", ["a"], 2) == {"a"}
    assert remember_alerts(tmp_path, "run7", ["a"], 2) == {"a"}


def test_a_damaged_memory_tells_once_more(tmp_path: Path) -> None:
    (tmp_path / "alerts.json").write_text("{")
    assert remember_alerts(tmp_path, "run", ["a"], 2) == {"a"}


def test_an_email_arrives_in_french(mailbox) -> None:
    mail = settings_of(mailbox.server_address[1])
    send(mail, compose(mail, NIGHT, "https://dsn.example/reports/{run}.fr.html"))
    from email import message_from_bytes, policy

    letter = message_from_bytes(mailbox.letters[0], policy=policy.default)
    assert letter["Subject"] == "DSN, nuit du 2026-11-01 : 1 alerte(s)"
    text = letter.get_content()
    assert text.index("À Fleury") < text.index("Se poursuit") < text.index("Ailleurs")
    assert "https://dsn.example/reports/20261101T090000Z-aaaa.fr.html" in text


def test_a_silent_server_and_a_missing_password_are_one_line(monkeypatch) -> None:
    mail = settings_of(1)
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1 did not take"):
        send(mail, compose(mail, NIGHT, None))
    monkeypatch.delenv("NO_SUCH_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="NO_SUCH_PASSWORD"):
        send(settings_of(1, password_env="NO_SUCH_PASSWORD"), compose(mail, NIGHT, None))


def test_a_night_writes_its_reports_and_mails(
    undisturbed: Installation, tmp_path: Path, mailbox
) -> None:
    shutil.copytree(undisturbed.folder, tmp_path, dirs_exist_ok=True)
    installation = Installation(tmp_path, undisturbed.config.read_text(encoding="utf-8"))
    more = (
        '\n[run]\nreports = "var/reports"\n\n[mail]\nhost = "127.0.0.1"\nsecurity = "none"\n'
        f'port = {mailbox.server_address[1]}\nto = ["ana@example.org"]\nlang = "en"\n'
    )
    text = installation.config.read_text(encoding="utf-8").replace(
        "[gather]", more + "\n[gather]", 1
    )
    installation.config.write_text(text, encoding="utf-8")
    done = installation.run("run", "--no-prefect")
    assert done.returncode == 0, done.stderr
    pages = sorted((installation.folder / "var" / "reports").glob("*.html"))
    assert [page.name[-8:] for page in pages] == [".en.html", ".fr.html"]
    page = pages[1].read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    assert "<script" not in page
    assert page.count("<blockquote") == 5
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert b"Subject: DSN, night of" in mailbox.letters[0]
    again = installation.run("report", "--run", pages[0].name[:15], "--lang", "en")
    assert again.stdout.strip().endswith(pages[0].name)
    unknown = installation.run("report", "--run", "1999")
    assert unknown.returncode == 2
    assert len(unknown.stderr.splitlines()) == 1


def test_every_way_of_running_a_night_renews_the_export(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "dsn.toml"
    config.write_text('[store]\nurl = "sqlite:///dsn.db"\n[run]\nexport = "out"\n', "utf-8")
    settings = load_settings(config)
    Store.open(settings.store.url.get_secret_value()).close()
    assert report_night(settings, "r1") == []
    assert (tmp_path / "out" / "labelled_passages.csv").read_text("utf-8-sig").startswith("passage")
    (tmp_path / "out" / "labelled_passages.csv").unlink()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_text("taken")
    assert report_night(settings, "r1") == []
    assert "no export" in caplog.text
