"""Backups that are verified when they are written and again before anything is restored.

A backup is a folder: ``manifest.json`` and the store itself. SQLite is copied page by page with its
own online backup, while nights and readers go on. PostgreSQL is written out as one compressed file
of rows, from one snapshot; such a backup can be restored into either database.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from dsn_nlp.errors import StoreError
from dsn_nlp.store import runs
from dsn_nlp.store.digest import digest
from dsn_nlp.store.engine import describe, make_place, parse_url, writing_engine
from dsn_nlp.store.failures import translated
from dsn_nlp.store.migrate import downgrade, head, migrate, revision_of, upgrade
from dsn_nlp.store.rows import count_rows, read_rows, write_rows

MANIFEST, DATABASE, ROWS = "manifest.json", "store.db", "rows.jsonl.gz"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    :ivar revision: schema the rows are in.
    :ivar digest: of the store's content, as ``Store.digest`` gives it.
    :ivar sha256: of the file beside the manifest.
    :ivar rows: how many, by table.
    """

    format: int
    version: str
    created: str
    file: str
    revision: str
    digest: str
    sha256: str
    rows: dict[str, int]


def back_up(url: str, target: Path, version: str) -> Manifest:
    """Write a verified backup of a store into a new folder, all of it or nothing.

    :param version: of dsn-nlp.
    :raises StoreError: when the folder is there already or cannot be written, or the copy is not
        what was copied.
    """
    parsed = parse_url(url)
    if target.exists():
        raise StoreError(f"{target}: is there already; name a new folder for each backup")
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        raise StoreError(f"{describe(parsed)}: there is no store here yet; run `dsn-nlp run` first")
    migrate(parsed)
    unfinished = target.with_name(target.name + ".part")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        manifest = _write(parsed, unfinished, version)
        _check_file(unfinished, manifest)
        os.replace(unfinished, target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def check_backup(source: Path) -> Manifest:
    """Make sure that a backup is whole.

    :raises StoreError: when it is not one of ours, or not what it was when it was written.
    """
    try:
        written = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        manifest = TypeAdapter(Manifest).validate_python(written)
    except (OSError, ValueError, ValidationError):
        raise StoreError(f"{source}: holds no backup of ours ({MANIFEST})") from None
    if manifest.format != FORMAT or manifest.file not in (DATABASE, ROWS):
        raise StoreError(f"{source}: written by another dsn-nlp ({manifest.version})")
    _check_file(source, manifest)
    return manifest


def restore(url: str, source: Path, replace: bool = False) -> Manifest:
    """Make a store what a backup holds, and bring its schema forward; all of it or nothing.

    :param replace: whether a store that is there may be lost.
    :raises StoreError: when the backup is damaged, a store is there, or a night is at work.
    """
    manifest, parsed = check_backup(source), parse_url(url)
    place = describe(parsed)
    if _is_there(parsed):
        if not replace:
            raise StoreError(f"{place}: a store is there; --replace puts the backup in its place")
        _refuse_at_work(parsed)
    if parsed.get_backend_name() == "sqlite":
        _restore_sqlite(parsed, source, manifest)
    elif manifest.file == DATABASE:
        raise StoreError(f"{source}: of an SQLite store; restore it to a path, not to PostgreSQL")
    else:
        _restore_postgres(parsed, source, manifest)
    return manifest


def _write(url: sa.URL, folder: Path, version: str) -> Manifest:
    """Copy from one snapshot, and describe it."""
    on_sqlite = url.get_backend_name() == "sqlite"
    path = folder / (DATABASE if on_sqlite else ROWS)
    engine = writing_engine(url)
    if not on_sqlite:
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with translated(describe(url)), engine.begin() as connection:
            told = digest(connection), revision_of(connection), count_rows(connection)
            if on_sqlite:
                _copy_pages(connection, path)
            else:
                write_rows(connection, path)
    finally:
        engine.dispose()
    path.chmod(0o600)
    manifest = Manifest(
        FORMAT, version, datetime.now(UTC).isoformat(timespec="seconds"), path.name,
        told[1], told[0], _sha256(path), told[2],
    )  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    return manifest


def _copy_pages(connection: sa.Connection, path: Path) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        driver.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    finally:
        copy.close()


def _check_file(folder: Path, manifest: Manifest) -> None:
    path = folder / manifest.file
    if not path.is_file() or _sha256(path) != manifest.sha256:
        raise StoreError(f"{path}: missing, or altered since the backup; use another backup")
    if manifest.file != DATABASE:
        return
    with translated(str(path)):
        copy = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            if copy.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise StoreError(f"{path}: the database is damaged; use another backup")
        finally:
            copy.close()


def _is_there(url: sa.URL) -> bool:
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        return path.is_file() and path.stat().st_size > 0
    engine = writing_engine(url)
    try:
        with translated(describe(url)), engine.connect() as connection:
            return sa.inspect(connection).has_table("runs")
    finally:
        engine.dispose()


def _refuse_at_work(url: sa.URL) -> None:
    engine = writing_engine(url)
    try:
        with translated(describe(url)), engine.begin() as connection:
            if sa.inspect(connection).has_table("runs"):
                runs.refuse_if_held(connection)
    finally:
        engine.dispose()


def _restore_sqlite(url: sa.URL, source: Path, manifest: Manifest) -> None:
    """Build the store beside its place, and put it there in one move once it is verified."""
    path = Path(str(url.database))
    fresh = path.with_name(path.name + ".restored")
    beside = url.set(database=str(fresh))
    _remove(fresh)
    try:
        make_place(beside)
        if manifest.file == DATABASE:
            shutil.copyfile(source / DATABASE, fresh)
        else:
            _fill(beside, source, manifest)
        _verify(beside, manifest)
        _put_in_place(fresh, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        _remove(fresh)


def _put_in_place(fresh: Path, path: Path) -> None:
    """Replace a store in one move; until then the old one stands whole."""
    if path.exists():
        with closing(sqlite3.connect(path)) as old:  # its log must not be read into the new one
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
    os.replace(fresh, path)


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _restore_postgres(url: sa.URL, source: Path, manifest: Manifest) -> None:
    _fill(url, source, manifest)
    migrate(url)


def _fill(url: sa.URL, source: Path, manifest: Manifest) -> None:
    """Put rows into an empty schema of their own revision, in one transaction."""
    engine = writing_engine(url, foreign_keys=False)
    try:
        with (
            translated(describe(url)),
            engine.execution_options(writing=True).begin() as connection,
        ):
            if sa.inspect(connection).has_table("runs"):
                downgrade(connection)
            upgrade(connection, describe(url), manifest.revision)
            read_rows(connection, source / ROWS)
            _compare(connection, manifest, describe(url))
    finally:
        engine.dispose()


def _verify(url: sa.URL, manifest: Manifest) -> None:
    """Compare before and after the schema is brought forward."""
    engine = writing_engine(url)
    try:
        with translated(describe(url)), engine.begin() as connection:
            _compare(connection, manifest, describe(url))
        migrate(url)
        with translated(describe(url)), engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("PRAGMA journal_mode = DELETE")  # so that one file can be moved
    finally:
        engine.dispose()


def _compare(connection: sa.Connection, manifest: Manifest, place: str) -> None:
    """Make sure that rows, and where the schema is this one's their content, are all there."""
    found = count_rows(connection)
    same = found == manifest.rows
    if same and revision_of(connection) == manifest.revision and manifest.revision == head():
        same = digest(connection) == manifest.digest
    if not same:
        raise StoreError(f"{place}: what was restored is not what was backed up; nothing changed")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
