"""Settings: one strict TOML file, overridden by ``DSN_NLP_…`` environment variables.

Unknown keys, wrong types and missing files are one-line ``ConfigError`` messages that name the
file, the line where it can be told, and the key. Relative paths are relative to the TOML file.
"""

import os
import re
import secrets
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from dsn_nlp.config_faults import explain
from dsn_nlp.config_scale import ScaleSettings
from dsn_nlp.config_screens import DashboardSettings, MailSettings
from dsn_nlp.config_watch import WatchSettings
from dsn_nlp.errors import ConfigError
from dsn_nlp.records import Language

DEFAULT_FILE = Path("dsn.toml")
ModelReference = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*/[0-9A-Za-z][0-9A-Za-z._-]*$")]
ExportName = Literal["auto", "microsoft-forms", "limesurvey", "redcap"]
SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(_Strict):
    """Where labelled results are written; PostgreSQL URLs belong in the environment."""

    url: SecretStr = SecretStr("sqlite:///var/dsn.db")


class GatherSettings(_Strict):
    """How the outside world is asked for articles."""

    contact: str = Field("", description="e-mail or URL sent in the User-Agent")
    mirror: Path | None = Field(None, description="folder of saved pages used in place of the net")
    timeout_seconds: float = Field(20.0, gt=0)
    deadline_seconds: float = Field(30.0, gt=0)
    max_bytes: int = Field(5_000_000, gt=0)
    attempts: int = Field(3, ge=1, le=10)
    pause_seconds: float = Field(1.0, ge=0, description="between two requests to one host")
    host_requests: int = Field(1, ge=1, le=8, description="requests to one host at a time")
    sources_at_once: int = Field(8, ge=1, le=64, description="news sources gathered side by side")
    host_failures: int = Field(5, ge=1, description="in a row, then a host is left alone")
    max_sitemap_bytes: int = Field(52_428_800, gt=0, description="unpacked, a file")
    page_nights: int = Field(5, ge=1, description="nights a page that does not come is asked for")
    readers: int = Field(0, ge=0, description="processes that read pages; 0: one a core")
    reader_seconds: float = Field(20.0, gt=0, description="for one page, then it is put aside")
    allow_loopback: bool = False


class PressFields(_Strict):
    """Which key of a press-review service's JSON lines holds what."""

    text: str = "text"
    title: str = "title"
    url: str = "url"
    published_at: str = "published_at"
    outlet: str = "outlet"
    authors: str = "authors"
    section: str = "section"
    lang: str = "lang"


_NEWS_PLACES = ("feed", "sitemap", "urls", "pages", "press")


class NewsSource(_Strict):
    """One place that articles come from: exactly one of feed, sitemap, urls, pages and press."""

    name: SourceName
    feed: str | None = Field(None, description="address of an RSS, RDF, Atom or JSON feed")
    sitemap: str | None = Field(None, description="address of a sitemap, index or news sitemap")
    urls: str | None = Field(None, description="a text file, or its address: one URL a line")
    pages: Path | None = Field(None, description="folder, .zip, .tar.gz or .warc.gz of pages")
    press: Path | None = Field(None, description="JSON lines of a press review, or their folder")
    fields: PressFields = Field(default_factory=PressFields)
    lang: Language | None = None
    keep: Literal["dsn", "all"] = Field("dsn", description="'dsn' drops articles on other matters")
    relevance: float = Field(0.5, ge=0, le=1, description="'dsn' drops articles scored lower")
    paywall: Literal["reject", "lead"] = Field(
        "reject", description="'lead' keeps what stands before a paywall"
    )
    domains: list[str] = Field([], description="domains that articles may be on; empty: any")
    paths: list[str] = Field([], description="how addresses' paths begin; empty: any")
    window_days: int = Field(30, ge=1, description="how far back a night reads a sitemap")
    max_articles: int = Field(2000, ge=1, description="pages asked for in one night")

    @field_validator("feed", "sitemap")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must be an http:// or https:// address")
        return value

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if sum(getattr(self, key) is not None for key in _NEWS_PLACES) != 1:
            raise ValueError(f"exactly one of {', '.join(_NEWS_PLACES)} is needed")
        return self

    @property
    def place(self) -> str:
        """Where the source is, for messages: an address, or the name of a file."""
        given = (self.feed, self.sitemap, self.urls, self.pages, self.press)
        place = str(next(each for each in given if each is not None))
        return place if place.startswith(("http://", "https://")) else Path(place).name


class CommentColumns(_Strict):
    """Which column of the file holds what; ``text`` may name several columns.

    Under an ``export`` only what that export does not tell by itself need be named.
    """

    text: list[str] = []
    response_id: str | list[str] | None = None
    date: str | None = None
    site: str | None = None
    unit: str | None = None
    role: str | None = None
    lang: str | None = Field(None, description="language the comment is written in")
    respondent: str | None = Field(None, description="who answers; kept as a keyed hash only")


class CommentQuery(_Strict):
    """A SELECT on another database, read row by row in a transaction that cannot write."""

    sql: str = Field(min_length=1)
    url: SecretStr | None = None
    url_env: str | None = Field(None, description="environment variable that holds the URL")
    seconds: int = Field(300, ge=1, description="the database may take this long")

    @model_validator(mode="after")
    def _has_one_address(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("name the database by either url or url_env")
        return self


class CommentSource(_Strict):
    """Free-text staff comments: a file, a watched drop folder, or a query."""

    name: SourceName
    path: Path | None = None
    query: CommentQuery | None = None
    export: ExportName | None = Field(None, description="of which tool the file is an export")
    columns: CommentColumns = Field(default_factory=lambda: CommentColumns.model_validate({}))
    lang: Language | None = Field(None, description="most likely language of the comments")
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    encoding: str | None = None
    quoting: Literal["strict", "lenient"] = Field(
        "strict", description="'lenient' takes stray quotes in CSV for text"
    )
    sheet: str | None = Field(None, description="sheet of a workbook; else the one that fits")
    dates: Literal["day-first", "month-first"] = Field(
        "day-first", description="how 03/04/2026 is read"
    )
    respondents: SourceName | None = Field(
        None, description="sources of one such name share their respondents' identifiers"
    )
    ready: Literal["stable", "done"] = Field(
        "stable", description="'done': a file waits until FILE.done lies beside it"
    )
    settle_seconds: float = Field(
        2.0, ge=0, le=600, description="a file that changed within this time is still written"
    )
    unknown_columns: Literal["warn", "ignore", "refuse"] = "warn"
    max_bad_rows: float = Field(
        0.2, ge=0, le=1, description="share of unreadable rows above which a file is set aside"
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.path is None) == (self.query is None):
            raise ValueError("name either a path or a query")
        if self.export is None and not self.columns.text:
            raise ValueError("columns.text: name the columns that hold comments, or an export")
        return self

    def names_rows(self) -> bool:
        """Tell whether a column tells a row from another with the same words.

        Exports of the known tools have a response id of their own.
        """
        named = self.columns
        return bool(self.export or named.response_id or named.date)


class QuarantineSettings(_Strict):
    """What is kept of rows that could not be read."""

    rows: Literal["sealed", "none"] = Field(
        "sealed", description="'sealed': encrypted under the comments key, so that they can be read"
    )
    keep_days: int = Field(30, ge=1, description="after which a sealed row is erased")


class PrepareSettings(_Strict):
    """How documents are split, screened and compared."""

    max_tokens: int = Field(90, ge=10, le=400, description="spaCy tokens a passage at most")
    copy_similarity: float = Field(
        0.4, gt=0, le=1, description="share of 3-word sequences from which texts are copies"
    )
    deidentifier: Path | None = Field(
        None, description="folder of the tagger of identifiers; unset: the one beside the models"
    )


class LabellingSettings(_Strict):
    """Which model labels."""

    models: Path = Path("models")
    fr: ModelReference | None = Field(None, description="for French, in place of the serving one")
    en: ModelReference | None = Field(None, description="for English, in place of the serving one")
    batch_passages: int = Field(512, ge=1)
    threads: int = Field(0, ge=0, description="0: as many as there are cores")


class AlertSettings(_Strict):
    """When the night raises an alert; each needs a test and a size that matters."""

    labels: list[
        Literal[
            "training", "security", "administrative_burden", "technical_failure", "patient_care"
        ]
    ] = Field(["security", "patient_care"], description="complaints watched for a surge")
    days: int = Field(7, ge=1, description="length of the period that is watched")
    baseline_days: int = Field(28, ge=7, description="length of the period before")
    passages: int = Field(30, ge=30, description="fewest passages of a site in the period")
    surge_ratio: float = Field(1.5, gt=1, description="how many times the share before")
    surge_share: float = Field(0.05, ge=0, le=1, description="share below which nothing surges")
    surge_rate: float = Field(0.01, gt=0, lt=1, description="false discovery rate")
    collapse_ratio: float = Field(0.3, ge=0, lt=1, description="of the usual documents a week")
    collapse_documents: float = Field(10, ge=1, description="usual documents a week at least")
    collapse_rate: float = Field(0.001, gt=0, lt=1, description="chance of so few documents")
    drift_index: float = Field(0.2, gt=0, description="population stability index of scores")
    drift_passages: int = Field(300, ge=100, description="fewest passages in either period")
    quiet_nights: int = Field(2, ge=1, description="nights without it after which an alert ends")


class AnalyseSettings(_Strict):
    """How questions are answered."""

    golive: Path | None = Field(None, description="go-live days; corpora/golive.toml by default")
    respondents: int = Field(5, ge=5, description="fewest people a group may have and be shown")
    alerts: AlertSettings = Field(default_factory=lambda: AlertSettings.model_validate({}))


class RunSettings(_Strict):
    """How a night behaves."""

    lease_minutes: float = Field(30.0, gt=0)
    export: Path | None = Field(None, description="folder for the night's CSV export")
    reports: Path | None = Field(None, description="folder for the night's report, kept")


class PrivacySettings(_Strict):
    """How long documents are kept, and how small a group may show."""

    comments_months: int | None = Field(24, ge=1, description="since arrival; unset: for ever")
    articles_months: int | None = Field(None, ge=1, description="since arrival; unset: for ever")
    months: dict[SourceName, int] = Field({}, description="by source, in place of the two above")
    smallest_group: int = Field(5, ge=5, description="respondents; smaller groups are hidden")
    purpose_required: bool = Field(False, description="comment text opens only with --purpose")

    @field_validator("months")
    @classmethod
    def _are_positive(cls, value: dict[str, int]) -> dict[str, int]:
        if any(months < 1 for months in value.values()):
            raise ValueError("must be 1 month or more; leave the source out to use the default")
        return value


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="DSN_NLP_", env_nested_delimiter="__"
    )

    store: StoreSettings = StoreSettings()
    gather: GatherSettings = Field(default_factory=lambda: GatherSettings.model_validate({}))
    prepare: PrepareSettings = Field(default_factory=lambda: PrepareSettings.model_validate({}))
    labelling: LabellingSettings = Field(
        default_factory=lambda: LabellingSettings.model_validate({})
    )
    scale: ScaleSettings = Field(default_factory=lambda: ScaleSettings.model_validate({}))
    run: RunSettings = Field(default_factory=lambda: RunSettings.model_validate({}))
    watch: WatchSettings = Field(default_factory=lambda: WatchSettings.model_validate({}))
    dashboard: DashboardSettings = Field(
        default_factory=lambda: DashboardSettings.model_validate({})
    )
    mail: MailSettings = Field(default_factory=lambda: MailSettings.model_validate({}))
    quarantine: QuarantineSettings = Field(
        default_factory=lambda: QuarantineSettings.model_validate({})
    )
    analyse: AnalyseSettings = Field(default_factory=lambda: AnalyseSettings.model_validate({}))
    privacy: PrivacySettings = Field(default_factory=lambda: PrivacySettings.model_validate({}))
    key_file: Path = Path("var/comments.key")
    news: list[NewsSource] = []
    comments: list[CommentSource] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    def source_names(self) -> list[str]:
        """Name every configured source, news first."""
        return [source.name for source in self.news] + [s.name for s in self.comments]


def load_settings(path: Path | None = None) -> Settings:
    """Read and check a settings file.

    :param path: the TOML file; without it ``$DSN_NLP_CONFIG``, then ``dsn.toml`` here.
    :raises ConfigError: when the file is missing, is not TOML, or breaks the schema.
    """
    path = path or Path(os.environ.get("DSN_NLP_CONFIG", DEFAULT_FILE))
    written = _read_toml(path)
    try:
        settings = Settings(**_resolve_paths(written, path.resolve().parent))
    except ValidationError as error:
        raise ConfigError(explain(path, error)) from None
    _check_unique_names(path, settings)
    return settings


def comment_key(settings: Settings) -> bytes:
    """Return the secret that keys comment ids; make it on first use, readable by its owner only.

    ``DSN_NLP_KEY`` in the environment wins over the file.

    :raises ConfigError: when the key file cannot be read or made, or the key is too short.
    """
    from_environment = os.environ.get("DSN_NLP_KEY")
    try:
        key = (from_environment or _read_or_make_key(settings.key_file)).strip().encode()
    except OSError as error:
        raise ConfigError(
            f"{settings.key_file}: cannot use this key file ({error.strerror}); "
            "set key_file to a path you can write, or DSN_NLP_KEY"
        ) from None
    if len(key) < 16:
        raise ConfigError("the comment key has fewer than 16 characters; choose a longer one")
    return key


def _read_or_make_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(key := secrets.token_hex(32))
    return key


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such settings file; copy dsn.example.toml or name one with --config"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _resolve_paths(written: dict[str, Any], root: Path) -> dict[str, Any]:
    """Anchor every relative path of the file at the file's own folder."""

    def anchor(table: Any, *keys: str) -> None:
        for key in keys:
            if isinstance(table, dict) and isinstance(table.get(key), str):
                table[key] = str(root / table[key])

    settings = dict(written)
    settings.setdefault("key_file", "var/comments.key")
    settings.setdefault("labelling", {})
    settings.setdefault("store", {})
    if isinstance(settings["labelling"], dict):
        settings["labelling"].setdefault("models", "models")
    anchor(settings, "key_file")
    anchor(settings.get("gather"), "mirror")
    anchor(settings["labelling"], "models")
    anchor(settings.get("prepare"), "deidentifier")
    anchor(settings.get("run"), "export", "reports")
    anchor(settings.get("dashboard"), "passwords")
    anchor(settings.get("watch"), "metrics")
    news = settings.get("news")
    for source in news if isinstance(news, list) else []:
        anchor(source, "pages", "press")
        if not re.match(r"https?://", str(isinstance(source, dict) and source.get("urls"))):
            anchor(source, "urls")
    anchor(settings.get("analyse"), "golive")
    comments = settings.get("comments")
    for source in comments if isinstance(comments, list) else []:
        anchor(source, "path")
        query = source.get("query") if isinstance(source, dict) else None
        if isinstance(query, dict) and "url" in query:
            query["url"] = _anchor_sqlite(query["url"], root)
    if isinstance(store := settings["store"], dict):
        store["url"] = _anchor_sqlite(store.get("url", "sqlite:///var/dsn.db"), root)
    return settings


def _anchor_sqlite(url: Any, root: Path) -> Any:
    if isinstance(url, str) and url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{root / url.removeprefix('sqlite:///')}"
    return url


def _check_unique_names(path: Path, settings: Settings) -> None:
    names = settings.source_names()
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: two sources are named '{name}'; rename one of them")
