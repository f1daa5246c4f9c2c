"""Databases opened for looking only: nothing is made, changed, locked or closed to others.

SQLite makes files beside a database in write-ahead mode even for readers, and a reader without the
right to write leaves them there. So a file that nobody has open (it has no `-wal`) is read as one
that does not change; another is read beside those who write.
"""

import sqlite3
from functools import partial
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from . import database
from .database import Purpose
from .entries import NAME, PURPOSE, credentials
from .errors import KeyMissing, KeyUnusable
from .keys import load_keys
from .store import CredentialStore


def open_to_read(url: str, purpose: Purpose) -> sa.Engine | None:
    """An engine that only reads; None for a SQLite file that is not there.

    Args:
        url: As for `database.open_engine`.
        purpose: For messages and limits.

    Raises:
        Exception: The purpose's, if the URL is none of a database.
    """
    parsed = database.parse_url(url, purpose)
    path = database.sqlite_path(parsed)
    if path is None:
        engine = database.open_engine(url, purpose, poolclass=sa.NullPool)
        return engine.execution_options(postgresql_readonly=True)
    if not path.exists():
        return None
    return sa.create_engine(
        parsed, creator=partial(_connect, path), poolclass=sa.NullPool, hide_parameters=True
    )


def open_store_to_read(url: str, encryption_key: str | None) -> CredentialStore | None:
    """The credentials store; None while nothing is stored in it.

    Args:
        url: As for `CredentialStore.open`.
        encryption_key: Likewise.

    Raises:
        KeyMissing: There is no key, although something is stored.
        KeyUnusable: The key is none, or opens nothing of what is stored.
        CredentialError: The database cannot be read.
    """
    engine = open_to_read(url, PURPOSE)
    path = key_file(url)
    given = (encryption_key or "").strip()
    text = given or (None if path is None else _text(path))
    keys = None if text is None else load_keys(text)
    if keys is None and path is None:
        raise KeyMissing(
            "credentials in PostgreSQL need the setting encryption_key or encryption_key_file"
        )
    if engine is None or not _holds_any(engine):
        return None
    if keys is None:
        raise KeyMissing(f"the key file {path} is gone, and what is stored cannot be read without")
    store = CredentialStore(engine, keys, None)  # without its file, which reading would close
    store.check_key()
    return store


def key_file(url: str) -> Path | None:
    """Where the key lies if no setting gives it; None beside no SQLite file."""
    path = database.sqlite_path(database.parse_url(url, PURPOSE))
    return None if path is None else path.with_name(f"{path.name}.key")


def _connect(path: Path) -> sqlite3.Connection:
    mode = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)
    connection.text_factory = lambda text: text.decode(errors="replace")
    return connection


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"the key file {path} cannot be read ({type(error).__name__})") from None


def _holds_any(engine: sa.Engine) -> bool:
    with database.explained(engine, PURPOSE), engine.begin() as connection:
        if not sa.inspect(connection).has_table(credentials.name):
            return False
        return connection.execute(sa.select(NAME).limit(1)).first() is not None
