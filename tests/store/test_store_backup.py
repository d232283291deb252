"""Backups from and to both databases, damaged ones, and schemas of older releases."""

import errno
import gzip
import json
import shutil
from pathlib import Path

import pytest
import store_nights as nights

from dsn_nlp.errors import RunInProgressError, StoreError
from dsn_nlp.store import Store
from dsn_nlp.store.backup import MANIFEST, back_up, check_backup, restore


@pytest.fixture
def filled(url):
    """Address of a store with two nights in it, the second one unfinished."""
    with Store.open(url) as store:
        nights.night(store, range(8))
        run_id = store.begin_run("0.1.0", nights.LEASE)
        nights.work(store, run_id, range(12))
        store.note_measures(run_id, {"volumes": {"presse": 4}})
        store.record_access("anna", "query", None, 3)
        store.fail_run(run_id)
    return url


def content(url):
    with Store.open(url) as store:
        return store.digest(), store.runs(10), store.counts(), store.records("accesses")


def test_a_backup_is_what_was_there(filled, tmp_path):
    manifest = back_up(filled, tmp_path / "kept", "0.2.0")
    assert manifest.digest == content(filled)[0]
    assert (manifest.rows["documents"], manifest.rows["runs"]) == (12, 2)
    assert check_backup(tmp_path / "kept") == manifest
    assert [p.stat().st_mode & 0o077 for p in (tmp_path / "kept").glob("[rs]*")] == [0]
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_restored_into_an_empty_place(filled, make_url, tmp_path, kind):
    back_up(filled, tmp_path / "kept", "0.2.0")
    other = make_url(kind)
    if filled.startswith("sqlite") and kind == "postgresql":
        with pytest.raises(StoreError, match="of an SQLite store"):
            restore(other, tmp_path / "kept")
        return
    restore(other, tmp_path / "kept")
    assert content(other) == content(filled)
    with Store.open(other) as store:  # and nights go on there
        nights.night(store, range(14))
        assert store.counts()["documents"] == 14


def test_a_store_is_replaced_only_when_asked(filled, tmp_path):
    back_up(filled, tmp_path / "kept", "0.2.0")
    before = content(filled)
    with Store.open(filled) as store:
        nights.night(store, range(20))
        assert store.digest() != before[0]
    with pytest.raises(StoreError, match="--replace"):
        restore(filled, tmp_path / "kept")
    restore(filled, tmp_path / "kept", replace=True)
    assert content(filled) == before


def test_a_store_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'dsn.db'}"
    with Store.open(url) as store:
        nights.night(store, range(8))
    back_up(url, tmp_path / "kept", "0.2.0")
    with Store.open(url) as store:
        nights.night(store, range(20))
    before = content(url)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.replace", full)
        with pytest.raises(StoreError, match="No space left"):
            restore(url, tmp_path / "kept", replace=True)
    assert content(url) == before


def test_a_night_at_work_is_not_replaced(filled, tmp_path):
    back_up(filled, tmp_path / "kept", "0.2.0")
    with Store.open(filled) as store:
        store.begin_run("0.1.0", nights.LEASE)
        with pytest.raises(RunInProgressError):
            restore(filled, tmp_path / "kept", replace=True)


def test_a_backup_goes_on_beside_a_night(filled, tmp_path):
    with Store.open(filled) as store:
        run_id = store.begin_run("0.1.0", nights.LEASE)
        back_up(filled, tmp_path / "kept", "0.2.0")
        nights.work(store, run_id, range(20))
        store.publish(run_id, {}, nights.MODEL)
    assert check_backup(tmp_path / "kept").rows["documents"] == 12


def test_damaged_backups_are_refused_and_nothing_is_lost(filled, tmp_path):
    manifest = back_up(filled, tmp_path / "kept", "0.2.0")
    before = content(filled)
    path = tmp_path / "kept" / manifest.file
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="altered since the backup"):
        restore(filled, tmp_path / "kept", replace=True)
    path.unlink()
    with pytest.raises(StoreError, match="missing"):
        check_backup(tmp_path / "kept")
    (tmp_path / "kept" / MANIFEST).write_text("{}")
    with pytest.raises(StoreError, match="no backup of ours"):
        check_backup(tmp_path / "kept")
    assert content(filled) == before


def test_a_file_that_lost_rows_changes_nothing(make_url, tmp_path):
    """Even one whose checksum was made to fit."""
    url = make_url("postgresql")
    with Store.open(url) as store:
        nights.night(store, range(4))
    manifest = back_up(url, tmp_path / "kept", "0.2.0")
    path = tmp_path / "kept" / manifest.file
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(b'["labels"')]
    path.write_bytes(gzip.compress(b"".join(kept)))
    import hashlib

    written = json.loads((tmp_path / "kept" / MANIFEST).read_text())
    written["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "kept" / MANIFEST).write_text(json.dumps(written))
    before = content(url)
    with pytest.raises(StoreError, match="not what was backed up; nothing changed"):
        restore(url, tmp_path / "kept", replace=True)
    assert content(url) == before


def test_places_that_are_taken_or_missing(filled, tmp_path):
    (tmp_path / "kept").mkdir()
    with pytest.raises(StoreError, match="is there already"):
        back_up(filled, tmp_path / "kept", "0.2.0")
    with pytest.raises(StoreError, match="no store here yet"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "new", "0.2.0")
    with pytest.raises(StoreError, match="no backup of ours"):
        restore(filled, tmp_path / "kept")


def test_commands(installation, tmp_path):
    with Store.open(installation.url) as store:
        nights.night(store)
        before = store.digest()
    folder = tmp_path / "kept"
    made = installation.run("backup", str(folder))
    assert made.returncode == 0, made.stderr
    assert "Verified backup" in made.stdout
    assert before[:16] in made.stdout
    assert "comments key is not in it" in made.stdout
    refused = installation.run("restore", str(folder))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    shutil.rmtree(Path(installation.database).parent)
    restored = installation.run("restore", str(folder), DSN_NLP_LANG="fr")
    assert restored.returncode == 0, restored.stderr
    assert "Rétabli" in restored.stdout
    with Store.open(installation.url) as store:
        assert store.digest() == before
    assert "Whole backup" in installation.run("restore", str(folder), "--check").stdout
