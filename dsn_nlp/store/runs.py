"""Runs and their lease: one night at a time, and what a killed one leaves is taken over."""

import os
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from dsn_nlp.errors import AlreadyRunningError, RunInProgressError, StoreError
from dsn_nlp.store.schema import (
    FAILED,
    INTERRUPTED,
    PUBLISHED,
    RUNNING,
    documents,
    labels,
    models,
    rejected,
    runs,
)


def begin(connection: sa.Connection, version: str, lease: timedelta) -> str:
    """Start a run and take over what dead, expired and failed ones left unpublished.

    :raises AlreadyRunningError: when a run of a living owner holds an unexpired lease.
    """
    if connection.dialect.name == "postgresql":
        # Readers go on; a second beginner waits here, then meets this run's lease.
        connection.execute(sa.text("LOCK TABLE runs IN SHARE ROW EXCLUSIVE MODE"))
    now = _now(connection)
    refuse_if_held(connection)
    connection.execute(
        runs.update()
        .where(runs.c.status == RUNNING)
        .values(status=INTERRUPTED, finished_at=now, lease_expires_at=None)
    )
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    connection.execute(
        runs.insert().values(
            run_id=run_id,
            started_at=now,
            status=RUNNING,
            owner=this_owner(),
            lease_expires_at=now + lease,
            lease_seconds=lease.total_seconds(),
            version=version,
        )
    )
    _adopt(connection, run_id)
    return run_id


def check_running(connection: sa.Connection, run_id: str, changing: bool = False) -> None:
    """Make sure, until the transaction ends, that a run may write.

    A process that slept past its lease would else write into its successor's night.

    :param changing: whether the run's own row is to change: two that first share its lock, and
        then both want it alone, would wait for each other.

    :raises RunInProgressError: when another run has taken this one over.
    :raises StoreError: when there is no such run, or it has ended.
    """
    query = sa.select(runs.c.status).where(runs.c.run_id == run_id)
    status = connection.scalar(query.with_for_update(read=not changing, key_share=changing))
    if status == INTERRUPTED:
        raise RunInProgressError(
            f"run {run_id}: another run took over when its lease ended; it goes on from here"
        )
    if status != RUNNING:
        raise StoreError(f"run {run_id}: it is {status or 'unknown'} and cannot write any more")


def renew(connection: sa.Connection, run_id: str) -> None:
    """Extend a run's lease from now, by as long as it was taken for."""
    check_running(connection, run_id, changing=True)
    seconds = connection.scalar(sa.select(runs.c.lease_seconds).where(runs.c.run_id == run_id))
    expires = _now(connection) + timedelta(seconds=float(str(seconds)))
    _update(connection, run_id, lease_expires_at=expires)


def fail(connection: sa.Connection, run_id: str) -> None:
    """End a run without publishing it; the next one takes its rows over."""
    check_running(connection, run_id, changing=True)
    _update(
        connection,
        run_id,
        status=FAILED,
        finished_at=_now(connection),
        lease_expires_at=None,
    )


def publish(connection: sa.Connection, run_id: str, counts: Mapping[str, int], model: str) -> None:
    """Show a run's rows, and the labels of a model, to all readers at once.

    Asked again after it was done (the answer was lost on the way), it does nothing.

    :raises StoreError: when the model is not registered.
    """
    query = sa.select(runs.c.run_id).where(runs.c.run_id == run_id, runs.c.status == PUBLISHED)
    if connection.scalar(query.where(runs.c.model == model)):
        return
    check_running(connection, run_id, changing=True)
    serve = models.update()
    connection.execute(serve.where(models.c.model != model).values(serving=False))
    if not connection.execute(serve.where(models.c.model == model).values(serving=True)).rowcount:
        raise StoreError(f"model {model} is not in the store; register it before publishing")
    _update(
        connection,
        run_id,
        status=PUBLISHED,
        finished_at=_now(connection),
        lease_expires_at=None,
        counts=dict(counts),
        model=model,
    )


def this_owner() -> str:
    """Name this process as ``host:pid:process start time``."""
    return f"{_host()}:{os.getpid()}:{_process_start(os.getpid())}"


def owner_is_dead(owner: str) -> bool:
    """Tell whether an owner is known to be gone; on another host nothing is known."""
    host, pid, started = owner.rsplit(":", 2)
    if host != _host() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    # The number may have gone to a new process since.
    return _process_start(int(pid)) != started


def refuse_if_held(connection: sa.Connection) -> None:
    """Make sure that no night is at work.

    :raises AlreadyRunningError: when a run of a living owner holds an unexpired lease.
    """
    now = _now(connection)
    query = sa.select(runs.c.run_id, runs.c.owner, runs.c.lease_expires_at)
    for run_id, owner, expires in connection.execute(query.where(runs.c.status == RUNNING)):
        if expires is not None and expires > now and not owner_is_dead(owner):
            raise AlreadyRunningError(
                f"run {run_id} is at work and holds the store until "
                f"{expires:%Y-%m-%d %H:%M:%S} UTC; wait for it to end"
            )


def _now(connection: sa.Connection) -> datetime:
    """Read the store's clock: machines that share a PostgreSQL need not agree on the time."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


def _adopt(connection: sa.Connection, run_id: str) -> None:
    left = sa.select(runs.c.run_id).where(runs.c.status.in_([INTERRUPTED, FAILED]))
    for table in (documents, labels, rejected):
        connection.execute(table.update().where(table.c.run_id.in_(left)).values(run_id=run_id))


def _update(connection: sa.Connection, run_id: str, **values: object) -> None:
    connection.execute(runs.update().where(runs.c.run_id == run_id).values(**values))


def _host() -> str:
    """Name host and pid namespace: containers may share the one and not the other."""
    try:
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{namespace}"


def _process_start(pid: int) -> str:
    """Read when a process started, in clock ticks since boot; ``-`` where it cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "-"
    # The second field is a name in brackets that may hold spaces.
    fields = stat.rpartition(")")[2].split()
    return "ended" if fields[0] in "ZX" else fields[19]
