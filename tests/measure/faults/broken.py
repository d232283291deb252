"""Nights on a full disk, a read-only or vanished store, a silent network, an altered model."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsn_nlp.label.folder import serving_folder
from tests.measure.faults.bench import Bench, Place, Row
from tests.measure.faults.children import Child


def wait_for(child: Child, cpu_seconds: float) -> None:
    """Wait until a child has used that much processor time, or has ended."""
    while child.poll() is None and child.cpu_seconds() < cpu_seconds:
        time.sleep(0.002)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """Mount a disk of that size on a folder; false where this may not be done."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def _failed_cleanly(row: Row, child: Child, *words: str) -> None:
    said = child.said()
    if child.returncode != 1 or "Traceback" in said or not any(word in said for word in words):
        row.wrong.append(f"exit {child.returncode}: {said.strip()[-200:]}")


def disk_full(bench: Bench, store: str, runs: int) -> Row:
    """The disk of the store fills up in the middle of the night, and is then made larger."""
    row = Row("disk full", store)
    for number in range(runs):
        folder = bench.folder / f"small{number}{store}"
        with small_disk(folder, 64 * 1024) as mounted:
            if not mounted:
                row.note = "no right to mount a small disk"
                return row
            place = _on(bench, store, folder)
            _fill(folder, bench.random.randrange(150, 900))
            child = place.night()
            if child.returncode:
                _failed_cleanly(row, child, "the disk is full", "PostgreSQL refused", "DiskFull")
            bench.check_hidden(row, place)
            (folder / "ballast").unlink()
            bench.finish(row, place)
            _leave_tablespace(bench, store, number)
    return row


def _fill(folder: Path, kilobytes_left: int) -> None:
    free = os.statvfs(folder)
    size = free.f_bavail * free.f_frsize - kilobytes_left * 1024
    with (folder / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, size)


def _on(bench: Bench, store: str, folder: Path) -> Place:
    """Make a place whose store lies on that disk."""
    if store == "sqlite":
        place = bench.place(store, url=f"sqlite:///{folder}/dsn.db")
    else:
        assert bench.postgres is not None
        os.chmod(bench.folder, 0o755)
        shutil.chown(folder, bench.postgres.user)
        bench.postgres.execute(f"CREATE TABLESPACE {folder.name} LOCATION '{folder}'")
        url = bench.postgres.make_database(folder.name)
        place = bench.place(store, url=url)
    return place


def _leave_tablespace(bench: Bench, store: str, number: int) -> None:
    if store == "postgresql" and bench.postgres is not None:
        bench.postgres.execute(f"DROP TABLESPACE small{number}{store}")


def failing_write(bench: Bench, store: str, runs: int) -> Row:
    """A write of the store's files fails (a limit on their size), at a random size."""
    row = Row("failing write", store)
    for _ in range(runs):
        place = bench.place(store)
        kilobytes = bench.random.randrange(40, 500)

        def limit(size: int = kilobytes * 1024) -> None:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        child = place.night(limit)
        _failed_cleanly(row, child, "the disk failed", "the disk is full", "OSError")
        bench.check_hidden(row, place)
        bench.finish(row, place)
    return row


def read_only(bench: Bench, store: str, runs: int) -> Row:
    """The store cannot be written, from the start or from the middle of the night on."""
    row = Row("read-only store", store)
    for number in range(runs):
        folder = bench.folder / f"fixed{number}"
        with small_disk(folder, 64 * 1024) as mounted:
            if store == "sqlite" and not mounted:
                row.note = "no right to mount a read-only disk"
                return row
            url = f"sqlite:///{folder}/dsn.db" if store == "sqlite" else None
            place = bench.place(store, url=url)
            if number % 2:
                place.start().kill_after(bench.moment())
            _set_read_only(bench, place, folder, True)
            child = place.night()
            _failed_cleanly(row, child, "cannot be written", "cannot be made", "PostgreSQL refused")
            _set_read_only(bench, place, folder, False)
            bench.check_hidden(row, place)
            bench.finish(row, place)
    return row


def _set_read_only(bench: Bench, place: Place, folder: Path, on: bool) -> None:
    if place.url.startswith("sqlite"):
        remount(folder, "ro" if on else "rw")
        return
    assert bench.postgres is not None
    name = place.url.split("/")[3].split("?")[0]
    value = "on" if on else "off"
    bench.postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")


def store_gone(bench: Bench, store: str, runs: int) -> Row:
    """The database goes away in the middle of the night, and is back some time later."""
    row = Row("database gone and back", store)
    for number in range(runs):
        place = bench.place(store)
        child = place.start()
        wait_for(child, bench.moment())
        if store == "sqlite":
            _hide_sqlite(place, child)
        else:
            assert bench.postgres is not None
            bench.postgres.stop(signal.SIGQUIT if number % 2 else signal.SIGINT)
            # Back at once: the night may wait for it. Back late: it cannot.
            if number % 2:
                child.wait()
            bench.postgres.start()
        if child.wait() and "Traceback" in child.said():
            row.wrong.append(f"exit {child.returncode}: {child.said().strip()[-200:]}")
        bench.check_hidden(row, place)
        bench.finish(row, place)
    return row


def _hide_sqlite(place: Place, child: Child) -> None:
    away = place.folder / "away"
    away.mkdir()
    # Moved between two instants of the night: SQLite makes and removes files of its own.
    if child.poll() is None:
        child.send(signal.SIGSTOP)
    for path in list(place.folder.glob("dsn.db*")):
        path.rename(away / path.name)
    if child.poll() is None:
        child.send(signal.SIGCONT)
    child.wait()
    for path in place.folder.glob("dsn.db*"):
        path.unlink()
    for path in away.iterdir():
        path.rename(place.folder / path.name)


def network_gone(bench: Bench, store: str, runs: int) -> Row:
    """The network is gone for part of the night; the rest of the night goes on."""
    return _silent(bench, store, runs, "network gone", bench.world.vanish)


def source_hangs(bench: Bench, store: str, runs: int) -> Row:
    """A source takes connections and never answers."""
    return _silent(bench, store, runs, "source timing out", bench.world.hang)


def _silent(bench: Bench, store: str, runs: int, case: str, silence: "object") -> Row:
    row = Row(case, store)
    for number in range(runs):
        place = bench.place(store)
        # Articles come first: the earliest part of the night is where it can matter.
        if number % 2:
            child = place.start()
            wait_for(child, bench.random.uniform(0, 0.2) * bench.cpu_seconds)
            silence()  # type: ignore[operator]
        else:
            silence()  # type: ignore[operator]
            child = place.start()
        if child.wait():
            row.wrong.append(f"the night failed: {child.said().strip()[-200:]}")
        bench.world.open()
        bench.finish(row, place)
    return row


def corrupt_model(bench: Bench, store: str, runs: int) -> Row:
    """A byte of a model file is flipped: nothing is labelled, and the next night goes on."""
    row = Row("corrupt model file", store)
    models = bench.folder / "models"
    source = serving_folder(bench.models)
    folder = models / source.relative_to(bench.models)
    shutil.copytree(source, folder, dirs_exist_ok=True)
    shutil.copy(bench.models / "current.toml", models)
    names = sorted(path.name for path in source.iterdir() if path.suffix != ".md")
    for _ in range(runs):
        place = bench.place(store, models=models)
        name = bench.random.choice(names)
        content = bytearray((source / name).read_bytes())
        content[bench.random.randrange(len(content))] ^= 0x40
        (folder / name).write_bytes(content)
        child = place.night()
        if child.returncode:
            _failed_cleanly(row, child, "checksum differs", "manifest", "model", "not ")
        bench.check_hidden(row, place)
        shutil.copy(source / name, folder / name)
        bench.finish(row, place)
    return row
