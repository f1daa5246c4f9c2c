"""Parsers of what all programs share: JSON, headers, settings, stored credentials, masking."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from connector_credentials import CredentialError, CredentialStore
from connector_credentials.entries import credentials
from connector_credentials.json_text import decimal_of, read_json
from connector_credentials.masking import without_emails, without_passwords
from connector_credentials.quota_headers import bigcommerce_reset, seconds_asked
from connector_credentials.settings import SettingError
from connector_sandbox.settings import KEY, freshbooks_app, tap_settings
from connector_webhooks import settings as webhooks
from cryptography.fernet import Fernet
from hypothesis import strategies as st
from tap_bigcommerce_orders import settings as tap
from target_freshbooks.freshbooks.pacing import pause_asked
from target_freshbooks.settings import FORM, read_settings

from fuzz.engine import Parser, Unexpected
from fuzz.mutation import mutated, octets, odd_values, texts, written

if TYPE_CHECKING:
    from fuzz.samples import Samples

CANARY = "canary-of-a-secret-5b1f"
NAME = "freshbooks:app"
HEADERS = ("X-Rate-Limit-Time-Reset-Ms", "X-Retry-After", "Retry-After", "Date")


def parsers(samples: Samples) -> list[Parser]:
    """Those parsers."""
    documents = [*samples.messages[:40], *samples.shop.values()]
    head = st.text(st.characters(codec="latin-1"), max_size=40) | st.sampled_from(
        ["1e999", "-1", "nan", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT", "Mon, 32 Foo 0 0:0:0"]
    )
    return [
        Parser("json", octets(documents), _json, (ValueError,)),
        Parser("headers", st.dictionaries(st.sampled_from(HEADERS), head), _headers),
        Parser("masking", _long_texts(), _mask),
        Parser("settings", _settings(), _read_settings, (SettingError,), (CANARY,)),
        Parser(
            "settings file",
            octets([{"client_id": "a", "client_secret": CANARY, "order_ids": [1, 2]}]),
            _Files(samples),
            (SettingError,),
            (CANARY,),
        ),
        Parser(
            "stored credentials",
            _rows(),
            _Rows(samples),
            (CredentialError,),
            (CANARY,),
        ),
    ]


def _json(body: bytes) -> None:
    read_json(body, lambda what: [what])
    decimal_of(body.decode("utf-8", "replace"))


def _headers(headers: dict[str, str]) -> None:
    reset = bigcommerce_reset(headers)
    for seconds in (seconds_asked(headers, reset), pause_asked(headers, datetime.now(UTC))):
        if seconds is not None and not seconds >= 0:
            raise Unexpected(f"pause of {seconds}")


def _long_texts() -> st.SearchStrategy[str]:
    parts = st.sampled_from(
        ["a", "@", ".", " ", ":", "/", "://", "\n", "<", '"', "postgresql://u:", "x@y.z", "(", "["]
    )
    pieces = st.lists(parts, max_size=6).map("".join)
    long = st.builds(lambda piece, times: piece * times, pieces, st.integers(1, 20_000))
    return st.one_of(long, pieces, st.text(max_size=300))


def _mask(text: str) -> None:
    without_passwords(without_emails(text))
    secret = f"postgresql://user:{CANARY}@host/db"
    if CANARY in without_passwords(f"{text} {secret}"):
        raise Unexpected("password left in a text")


def _settings() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    secret = {"encryption_key": CANARY, "client_secret": CANARY}
    target = {
        **freshbooks_app("http://127.0.0.1:1"),
        **{name: entry["default"] for name, entry in FORM.properties.items() if "default" in entry},
        "invoice_start_date": "2026-01-01",
        "timezone": "America/Chicago",
        "tax_mapping": {"a": "b"},
        "payment_type_mapping": {"visa": "VISA"},
        "marketplace_sources": {"amazon": "net"},
        "exclude_orders": [{"sku": "X"}],
        "generic_client": {"organization": "Shop", "email": "a@b.c"},
        **secret,
    }
    shop = tap_settings("http://127.0.0.1:1", start_date="2026-01-01", order_ids=[1, 2])
    hooks = {**webhooks.defaults(), "destination": "https://a.example/hooks", **secret}
    return st.one_of(
        st.tuples(st.just("target"), mutated([target])),
        st.tuples(st.just("tap"), mutated([{**shop, "access_token": CANARY}])),
        st.tuples(st.just("webhooks"), mutated([hooks])),
        st.tuples(
            st.sampled_from(["target", "tap", "webhooks"]),
            st.builds(
                lambda name, value: {name: value},
                st.sampled_from(sorted({**FORM.properties, **tap.FORM.properties, **hooks})),
                odd_values,
            ),
        ),
    )


def _read_settings(example: tuple[str, dict[str, Any]]) -> None:
    program, values = example
    log = logging.getLogger("fuzz")
    if program == "target":
        FORM.check_names(values, {}, log)
        read_settings(values)
        json.dumps(FORM.read(values), ensure_ascii=False).encode()
    elif program == "tap":
        tap.FORM.check_names(values, {}, log)
        read = tap.FORM.read(values)
        tap.store_hash_of(read)
        json.dumps(read, ensure_ascii=False).encode()
    else:
        variables = {
            f"{webhooks.PREFIX}{name.upper()}": value
            for name, value in values.items()
            if isinstance(value, str)
        }
        webhooks.load({}, arguments=values)
        webhooks.load(variables)


class _Files:
    """Reads a file of settings."""

    def __init__(self, samples: Samples) -> None:
        self._path = samples.home / "settings.json"

    def __call__(self, body: bytes) -> None:
        self._path.write_bytes(body)
        self._path.chmod(0o600)
        FORM.of_file(self._path, logging.getLogger("fuzz"))
        webhooks.load({}, self._path)


def _rows() -> st.SearchStrategy[tuple[str, str | bytes]]:
    """What somebody put into a row: bytes, or text that was encrypted with the key."""
    entry = {"name": NAME, "document": {"access_token": CANARY, "refresh_token": CANARY}}
    sealed = texts([entry])
    return st.one_of(
        st.tuples(st.just("sealed"), sealed), st.tuples(st.just("raw"), st.binary(max_size=80))
    )


class _Rows:
    """Opens a store whose one row is the example."""

    def __init__(self, samples: Samples) -> None:
        url = f"sqlite:///{samples.home}/rows.sqlite"
        self._store = CredentialStore.open(url, KEY)
        self._engine = sa.create_engine(url)

    def __call__(self, example: tuple[str, str | bytes]) -> None:
        kind, document = example
        if isinstance(document, str):
            plain = document.encode("utf-8", "surrogatepass")
            document = Fernet(KEY).encrypt(plain) if kind == "sealed" else plain
        row = {"name": NAME, "version": 1, "updated_at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(credentials))
            connection.execute(sa.insert(credentials), {**row, "document": document})
        self._store.unopened()
        found = self._store.read(NAME)
        if found is not None and CANARY in repr(found):
            raise Unexpected("secret shown by repr")
        json.dumps(found)
        written(found)
