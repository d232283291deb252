"""Settings are strict, and say where they are wrong."""

import stat
from pathlib import Path

import pytest

from dsn_nlp.config import comment_key, load_settings
from dsn_nlp.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]


def write(folder: Path, text: str) -> Path:
    path = folder / "dsn.toml"
    path.write_text(text, encoding="utf-8")
    return path


NEWS = '[[news]]\nname = "a"\nfeed = "https://a.example/f"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[gather]\ncontakt = 'x'\n", "dsn.toml:2: gather.contakt: unknown key"),
        ("[gather\n", "not valid TOML"),
        (NEWS + NEWS, "two sources are named 'a'"),
        ('[[news]]\nname = "a"\n', "news[1]: exactly one of feed, sitemap,"),
        ('[[news]]\nname = "a"\nfeed = "ftp://x"\n', "must be an http:// or https:// address"),
        ('[[news]]\nname = "A b"\nfeed = "https://x"\n', "dsn.toml:2: news[1].name"),
        ("[run]\nlease_minutes = 'soon'\n", "dsn.toml:2: run.lease_minutes"),
        (
            '[[comments]]\nname = "c"\npath = "c.csv"\n[comments.columns]\ntext = []\n',
            "columns.text",
        ),
        ("gather = 3\n", "gather"),
    ],
)
def test_wrong_settings_name_their_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as failure:
        load_settings(write(tmp_path, text))
    message = str(failure.value)
    assert expected in message
    assert "\n" not in message or "TOML" in message


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"copy dsn\.example\.toml"):
        load_settings(tmp_path / "none.toml")


def test_example_settings_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(ROOT / "dsn.example.toml")
    assert settings.news
    assert settings.comments
    assert settings.run.export is not None


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[store]\nurl = "sqlite:///here/s.db"\n'))
    assert settings.store.url.get_secret_value() == f"sqlite:///{tmp_path}/here/s.db"
    assert settings.key_file == tmp_path / "var/comments.key"


def test_environment_wins_and_secrets_stay_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSN_NLP_STORE__URL", "postgresql://u:hush@h/d")
    settings = load_settings(write(tmp_path, ""))
    assert settings.store.url.get_secret_value().endswith("@h/d")
    assert "hush" not in repr(settings)


def test_key_is_made_once_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DSN_NLP_KEY", raising=False)
    settings = load_settings(write(tmp_path, ""))
    first = comment_key(settings)
    assert comment_key(settings) == first
    assert len(first) == 64
    assert stat.S_IMODE(settings.key_file.stat().st_mode) == 0o600


def test_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSN_NLP_KEY", "short")
    with pytest.raises(ConfigError, match="fewer than 16"):
        comment_key(load_settings(write(tmp_path, "")))


def test_the_bundled_settings_write_a_report() -> None:
    assert load_settings(ROOT / "dsn.toml").run.reports == ROOT / "var" / "reports"
