"""Several processes at once: one first key, one holder, and no lock that outlives its holder."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from connector_credentials import CredentialStore, KeyUnusable, LockTimeout
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

KEY = Fernet.generate_key().decode()
NEW_KEY = Fernet.generate_key().decode()
PROCESSES, ROUNDS = 8, 25

INCREMENT = """
import sys
from connector_credentials import CredentialStore
url, key, rounds = sys.argv[1:]
sys.stdin.readline()
for _ in range(int(rounds)):
    store = CredentialStore.open(url, key)
    with store.exclusive("counter", 120) as entry:
        seen = (entry.read() or {"n": 0})["n"]
        entry.write({"n": seen + 1})
    store.close()
"""

FIRST_START = """
import sys
from connector_credentials import CredentialStore
url, name = sys.argv[1:]
sys.stdin.readline()
CredentialStore.open(url, None).write(name, {"name": name})
"""

HOLD = """
import sys
from connector_credentials import CredentialStore
store = CredentialStore.open(sys.argv[1], sys.argv[2])
with store.exclusive("token", 10) as entry:
    entry.write({"n": "written while held"})
    print("held", flush=True)
    sys.stdin.read()
"""


RENEW = """
import sys
from connector_credentials import CredentialStore
store = CredentialStore.open(sys.argv[1], sys.argv[2])
with store.exclusive("token", 10) as entry:
    entry.write({"n": "spent"})
    print("held", flush=True)
    sys.stdin.readline()
    entry.write({"n": "the next"})
"""


def finish(processes: list[subprocess.Popen[str]]) -> None:
    """Let all go at once and see them end well."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


@pytest.mark.more
def test_eight_processes_lose_no_increment(
    url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    finish([start_program(INCREMENT, url, KEY, str(ROUNDS)) for _ in range(PROCESSES)])
    assert CredentialStore.open(url, KEY).read("counter") == {"n": PROCESSES * ROUNDS}


@pytest.mark.parametrize("attempt", range(2))
def test_first_starters_agree_on_one_key(
    tmp_path: Path, start_program: Callable[..., subprocess.Popen[str]], attempt: int
) -> None:
    path = tmp_path / f"store{attempt}.sqlite"
    finish([start_program(FIRST_START, f"sqlite:///{path}", f"n{i}") for i in range(PROCESSES)])
    store = CredentialStore.open(f"sqlite:///{path}", None)
    assert store.names() == [f"n{i}" for i in range(PROCESSES)]
    for name in store.names():
        assert store.read(name) == {"name": name}
    key = path.with_name(f"{path.name}.key")
    assert key.stat().st_mode & 0o777 == 0o600
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]  # no drafts


def test_the_death_of_the_holder_frees_the_lock_and_keeps_what_it_wrote(
    url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = start_program(HOLD, url, KEY)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    store = CredentialStore.open(url, KEY)
    assert store.read("token") == {"n": "written while held"}  # durable before the lock is freed
    with pytest.raises(LockTimeout, match="held by another process"), store.exclusive("token", 0.3):
        pass
    holder.kill()
    started = time.monotonic()
    with store.exclusive("token", 20) as entry:
        assert entry.read() == {"n": "written while held"}
        assert time.monotonic() - started < 10


def test_a_change_of_the_key_waits_for_a_holder_who_writes_with_the_old_one(
    url: str,
    start_program: Callable[..., subprocess.Popen[str]],
) -> None:
    CredentialStore.open(url, KEY).write("another", {"n": 1})
    holder = start_program(RENEW, url, KEY)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    store = CredentialStore.open(url, f"{NEW_KEY},{KEY}")
    rotation = threading.Thread(target=store.reencrypt, args=(f"{NEW_KEY},{KEY}",), daemon=True)
    rotation.start()
    rotation.join(0.5)
    assert CredentialStore.open(url, KEY).read("another") == {"n": 1}  # nothing is changed yet
    finish([holder])
    rotation.join(20)
    assert CredentialStore.open(url, NEW_KEY).read("token") == {"n": "the next"}


def test_a_change_of_the_key_gives_up_on_an_entry_held_for_long_and_changes_nothing(
    url: str, start_program: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = start_program(HOLD, url, KEY)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    monkeypatch.setattr("connector_credentials.store.ROTATION_SECONDS", 0.2)
    with pytest.raises(LockTimeout, match="'token' is held by another process"):
        CredentialStore.open(url, KEY).reencrypt(NEW_KEY)
    assert CredentialStore.open(url, KEY).read("token") == {"n": "written while held"}


def test_who_has_only_the_old_key_neither_reads_nor_adds_an_entry_after_the_change(
    url: str,
) -> None:
    before = CredentialStore.open(url, KEY)
    before.write("token", {"n": 1})
    CredentialStore.open(url, KEY).reencrypt(NEW_KEY)
    with before.exclusive("token", 1) as entry, pytest.raises(KeyUnusable):
        entry.read()
    with before.exclusive("new", 1) as entry, pytest.raises(KeyUnusable):
        entry.write({"n": 2})
    assert CredentialStore.open(url, NEW_KEY).names() == ["token"]


def test_a_link_to_the_database_leads_to_the_same_lock_and_key(
    tmp_path: Path, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "real" / "store.sqlite")
    linked = CredentialStore.open(f"sqlite:///{tmp_path}/link.sqlite", None)
    holder = start_program(HOLD, f"sqlite:///{tmp_path}/real/store.sqlite", "")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockTimeout), linked.exclusive("token", 0.3):
        pass
    assert linked.read("token") == {"n": "written while held"}
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["link.sqlite"]


def test_the_wait_for_a_lock_ends_with_what_the_given_sleep_raises(
    url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = start_program(HOLD, url, KEY)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    store = CredentialStore.open(url, KEY)

    def stopped(_: float) -> None:
        raise InterruptedError

    started = time.monotonic()
    with pytest.raises(InterruptedError), store.exclusive("token", 20, stopped):
        pass
    assert time.monotonic() - started < 5


def test_the_lock_of_one_name_does_not_hold_another(url: str) -> None:
    store = CredentialStore.open(url, KEY)
    with store.exclusive("a", 1) as first, store.exclusive("b", 1) as second:
        first.write({"n": 1})
        second.write({"n": 2})
    assert (store.read("a"), store.read("b")) == ({"n": 1}, {"n": 2})


def test_an_exception_inside_frees_the_lock(url: str) -> None:
    store = CredentialStore.open(url, KEY)
    with pytest.raises(ZeroDivisionError), store.exclusive("a", 1):
        raise ZeroDivisionError
    with store.exclusive("a", 10):
        pass


def test_a_postgresql_holder_whose_session_has_ended_cannot_write(
    postgresql_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    program = HOLD.replace("    sys.stdin.read()\n", "    sys.stdin.readline()\n") + (
        "    for act in (lambda: entry.write({'n': 'too late'}),) * 2 + (entry.read,):\n"
        "        try:\n            act()\n"
        "        except Exception as exc:\n"
        "            print(type(exc).__name__, entry.lost, flush=True)\n"
    )
    holder = start_program(program, postgresql_url, KEY)
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    store = CredentialStore.open(postgresql_url, KEY)
    with store._engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
    with store.exclusive("token", 10) as entry:
        entry.write({"n": "the next holder's"})
    holder.stdin.write("\n")
    holder.stdin.flush()
    # Nor does a second try do it in another session, which would not hold the lock.
    assert [holder.stdout.readline() for _ in range(3)] == ["CredentialError True\n"] * 3
    assert store.read("token") == {"n": "the next holder's"}


def test_the_command_line_takes_secrets_from_standard_input_only(
    tmp_path: Path,
    start_program: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CREDENTIALS_URL", f"sqlite:///{tmp_path / 'store.sqlite'}")
    program = "import sys; from connector_credentials.cli import main; sys.exit(main())"

    def run(*arguments: str, text: str = "") -> tuple[int, str]:
        process = start_program(program, *arguments)
        output, errors = process.communicate(text, timeout=30)
        return process.returncode, output + errors

    arguments = ("set-bigcommerce", "hash1", "--with-client-secret")
    code, said = run(*arguments, text="token-canary\nsecret-canary\n")
    assert (code, said) == (0, "stored bigcommerce:hash1\n")
    assert run("list") == (0, "bigcommerce:hash1\n")
    assert run("rotate-key") == (0, "1 entries encrypted anew\n")
    store = CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)
    assert json.loads(json.dumps(store.read("bigcommerce:hash1"))) == {
        "access_token": "token-canary",
        "client_secret": "secret-canary",
    }
    monkeypatch.setenv("CREDENTIALS_ENCRYPTION_KEY", (tmp_path / "store.sqlite.key").read_text())
    code, said = run("rotate-key")
    assert (code, "encryption_key = NEW,OLD" in said) == (1, True)
    monkeypatch.delenv("CREDENTIALS_ENCRYPTION_KEY")
    (tmp_path / "store.sqlite.key").unlink()
    code, said = run("rotate-key")
    assert code == 1
    cure = f"connector-credentials --url sqlite:///{tmp_path / 'store.sqlite'} delete --all"
    assert cure in said
    assert run("delete", "nothing")[0] == 1
    code, said = run("delete")
    assert (code, "name the entries" in said) == (1, True)
    assert run("delete", "--all") == (0, "removed bigcommerce:hash1\n")
    code, said = run("set-bigcommerce", "hash1", text="\n")
    assert code == 1
    assert "nothing was stored" in said
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")  # systemd's own
    assert run("list") == (0, "")
    monkeypatch.setenv("CREDENTIALS_ENCRYPTON_KEY", "key-canary")
    code, said = run("list")
    assert (code, said.count("\n")) == (1, 1)
    assert "CREDENTIALS_ENCRYPTON_KEY. If it is CREDENTIALS_ENCRYPTION_KEY, mend its name" in said
