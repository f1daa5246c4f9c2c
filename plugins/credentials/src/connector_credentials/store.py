"""The store: named documents, encrypted, one of which can be held exclusively while it changes.

It exists for a token that works once. Whoever uses it up must be alone, must have read the
latest, and must have the next one on disk before anybody uses it: `exclusive` gives all three.

What is encrypted holds its own name, so a row copied over another does not open. A row that does
not open concerns nobody but those who want that entry, and whoever changes the key.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Self

import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet

from . import commands, database, entries, locks
from .entries import DOCUMENT, NAME, PURPOSE, LockedEntry, credentials
from .errors import CredentialError, EntryUnusable, KeyMissing, KeyUnusable
from .keys import MAKE_ONE, KeyFile, decrypted, load_keys
from .sealing import sealed, unsealed

SETUP_SECONDS = 60.0
ROTATION_SECONDS = 120.0
"""How long a change of the key waits for each entry's holder."""


class StoredSecret(dict[str, Any]):
    """A document as read. It is a plain dict whose repr shows the names and no value."""

    def __repr__(self) -> str:
        return f"<StoredSecret {', '.join(sorted(self))}>"

    __str__ = __repr__


class CredentialStore:
    """Encrypted named documents in SQLite or PostgreSQL, for several processes at once."""

    def __init__(self, engine: sa.Engine, keys: MultiFernet, key_file: KeyFile | None) -> None:
        self._engine = engine
        self._keys = keys
        self._key_file = key_file

    @classmethod
    def open(cls, url: str, encryption_key: str | None) -> Self:
        """Open the store, and make it if there is none.

        Args:
            url: SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://...`.
            encryption_key: Fernet keys, separated by commas; the first encrypts, all decrypt.
                None or empty: they are in `<database file>.key`, which is made with a new key
                while the store is still empty.

        Raises:
            KeyMissing: No key, and the store is not empty or is not a SQLite file.
            KeyUnusable: The key does not open what is stored.
            CredentialError: The database cannot be used.
        """
        engine = entries.open_table(url)
        path = database.sqlite_path(engine.url)
        file: KeyFile | None = None
        if encryption_key and encryption_key.strip():
            keys = load_keys(encryption_key)
        elif path is None:
            raise KeyMissing(
                "credentials in PostgreSQL need the setting encryption_key or encryption_key_file"
            )
        else:
            file = KeyFile(path.with_name(f"{path.name}.key"))
            keys = _keys_of(file, engine)
        store = cls(engine, keys, file)
        store.check_key()
        return store

    def __repr__(self) -> str:
        return f"<CredentialStore {database.shown(self._engine.url)}>"

    def close(self) -> None:
        """Let go of the database; connections are not kept between calls anyway."""
        self._engine.dispose()

    def read(self, name: str) -> StoredSecret | None:
        """The document of that name, None if there is none."""
        with _explained(self._engine), self._engine.connect() as connection:
            return self.read_on(connection, name)

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Store a document, replacing one of the same name; on disk when this returns."""
        with _explained(self._engine), self._engine.connect() as connection:
            self.write_on(connection, name, document)

    def delete(self, name: str) -> None:
        """Forget a document."""
        entries.delete(self._engine, [name])

    def names(self) -> list[str]:
        """The names stored, sorted."""
        return entries.names(self._engine)

    def unopened(self) -> dict[str, CredentialError]:
        """The entries that do not open, by name, and what is to be said of each."""
        with _explained(self._engine), self._engine.begin() as connection:
            return self._unopened_on(connection)[1]

    @contextmanager
    def exclusive(
        self, name: str, timeout: float, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[LockedEntry]:
        """Hold an entry, alone among all processes (and machines) that share the database.

        The lock is freed when the process ends in whatever way. Under PostgreSQL the entry
        reads and writes in the very session that holds the lock, so that one who has lost it
        cannot write. Not re-entrant.

        Args:
            name: The entry's name; it need not exist.
            timeout: Seconds to wait for the lock.
            sleep: Waits between looks at the lock; what it raises ends the waiting.

        Raises:
            LockTimeout: Somebody else held it for longer.
            LockUnsafe: The database is where a lock would not keep others out.
        """
        what = f"the credentials entry {name!r}"
        lock = locks.hold(self._engine, name, timeout, what=what, sleep=sleep)
        with ExitStack() as stack:
            with _explained(self._engine):
                connection = stack.enter_context(lock)
            yield LockedEntry(self, name, connection)

    def rotate(self, keys: str | None) -> int:
        """Encrypt all documents anew: with the first of the keys, or a fresh one for the key file.

        Args:
            keys: What this store was opened with, as in `encryption_key`: the new key, a comma and
                the old one. None: the keys are in the key file.

        Raises:
            CredentialError: There is no new key among them; and as for `reencrypt`.
        """
        if keys and "," not in keys:
            raise CredentialError(
                "put the new key first and the old one behind it, with a comma between them: "
                f"encryption_key = NEW,OLD; {MAKE_ONE}"
            )
        return self.reencrypt(keys or Fernet.generate_key().decode())

    def reencrypt(self, new_keys: str) -> int:
        """Encrypt all documents anew with the first of the new keys. Returns their number.

        All or none are changed, and none while somebody holds it: its holder may have only the
        old keys, and could otherwise write with them after this. The keys known so far still
        decrypt meanwhile; afterwards this store uses the new ones alone, and its key file, if it
        has one, holds them.

        Raises:
            LockTimeout: An entry was held for too long; nothing is changed.
            EntryUnusable: One does not open, and would be lost for good; nothing is changed.
        """
        new = load_keys(new_keys)
        # Alone: of two at once the slower one would put its key file over the other's documents.
        with self.exclusive("(key rotation)", SETUP_SECONDS), ExitStack() as held:
            names = self.names()
            for name in names:
                held.enter_context(self.exclusive(name, ROTATION_SECONDS))
            if unopened := self.unopened():
                reasons = "; ".join(map(str, unopened.values()))
                raise EntryUnusable(f"nothing was encrypted anew: {reasons}")
            if self._key_file is not None:
                # First let everybody read both, so that a crash on the way locks nobody out.
                before = self._key_file.text() or ""
                self._key_file.replace(f"{new_keys.strip()},{before.strip()}")
            with _explained(self._engine), self._engine.connect() as connection:
                count = self._reencrypt_on(connection, new, held=set(names))
            if self._key_file is not None:
                self._key_file.replace(new_keys.strip())
        self._keys = new
        return count

    def _reencrypt_on(self, connection: sa.Connection, new: MultiFernet, *, held: set[str]) -> int:
        with database.writing(connection):
            rows = connection.execute(sa.select(NAME, DOCUMENT).with_for_update()).all()
            if not held.issuperset(name for name, _ in rows):
                raise CredentialError("an entry was added meanwhile; run rotate-key again")
            for name, document in rows:
                plain = sealed(name, self._open(name, document, also=new))
                connection.execute(
                    sa.update(credentials)
                    .where(credentials.c.name == name)
                    .values(document=new.encrypt(plain), version=credentials.c.version + 1)
                )
        database.cut_log(connection)
        return len(rows)

    def check_key(self) -> None:
        """See that the key opens what is stored.

        Raises:
            KeyUnusable: It opens no entry at all.
        """
        with _explained(self._engine), self._engine.begin() as connection:
            self._check_key_on(connection)

    def _check_key_on(self, connection: sa.Connection) -> None:
        count, unopened = self._unopened_on(connection)
        foreign = [error for error in unopened.values() if isinstance(error, KeyUnusable)]
        if foreign and len(foreign) == count:
            raise foreign[0]

    def _unopened_on(self, connection: sa.Connection) -> tuple[int, dict[str, CredentialError]]:
        """How many entries there are, and those that do not open."""
        rows = connection.execute(sa.select(NAME, DOCUMENT).order_by(NAME)).all()
        unopened: dict[str, CredentialError] = {}
        for name, document in rows:
            try:
                self._open(name, document)
            except (KeyUnusable, EntryUnusable) as error:
                unopened[name] = error
        return len(rows), unopened

    def read_on(self, connection: sa.Connection, name: str) -> StoredSecret | None:
        """As `read`, on a connection that is not in a transaction."""
        with connection.begin():
            document = connection.scalar(sa.select(DOCUMENT).where(credentials.c.name == name))
        return None if document is None else self._open(name, document)

    def write_on(self, connection: sa.Connection, name: str, document: Mapping[str, Any]) -> None:
        """As `write`, on a connection that is not in a transaction."""
        plain = sealed(name, document)
        with database.writing(connection):
            # Inside the transaction: a rotation that follows it will find and renew this row.
            if self._key_file is not None:
                self._keys = self._key_file.read() or self._keys
            values = {
                "document": self._keys.encrypt(plain),
                "updated_at": datetime.now(UTC),
            }
            changed = connection.execute(
                sa.update(credentials)
                .where(credentials.c.name == name)
                .values(**values, version=credentials.c.version + 1)
            )
            if changed.rowcount == 0:
                # The key may have been changed since we were opened. Who replaces an entry has
                # read it under its lock and seen that; who makes one sees it by the others.
                self._check_key_on(connection)
                entries.insert(connection, {"name": name, "version": 1, **values})

    def _open(self, name: str, document: bytes, also: MultiFernet | None = None) -> StoredSecret:
        """The document, with our keys, with the file's if those have changed, or with `also`."""
        current = self._key_file.read() if self._key_file is not None else None
        url = database.shown(self._engine.url)
        for keys in (self._keys, current, also):
            if keys is not None:
                plain = decrypted(keys, bytes(document))
                if plain is not None:
                    return StoredSecret(unsealed(name, plain, url))
        raise KeyUnusable(
            f"the encryption key does not open the stored credentials {name!r}. Give the key they "
            "were stored with (also as a second one, after a comma), or remove the entry "
            f"({commands.credentials('delete', name, url=url)}) and log in again"
        )


def _keys_of(file: KeyFile, engine: sa.Engine) -> MultiFernet:
    """The key file's keys; a new file while nothing is stored yet."""
    keys = file.read()
    if keys is not None:
        return keys
    with _explained(engine), engine.begin() as connection:
        stored = connection.scalar(sa.select(sa.func.count()).select_from(credentials))
    if stored:
        # Asked again: another first starter may have made it and stored something meanwhile.
        keys = file.read()
    else:
        file.make()
        keys = file.read()
    if keys is None:
        delete = commands.credentials("delete", "--all", url=database.shown(engine.url))
        raise KeyMissing(
            f"the key file {file.path} is gone, and without it the stored credentials cannot be "
            "read. Restore it from a backup, or give encryption_key; if both are lost, remove "
            f"the entries ({delete}) and log in again"
        )
    return keys


def _explained(engine: sa.Engine) -> AbstractContextManager[None]:
    return database.explained(engine, PURPOSE)
