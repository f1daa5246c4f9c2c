from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from connector_webhooks.signature import MOST_SIGNATURES, Age, VerifiedHook, Verifier, signer
from hypothesis import given
from hypothesis import strategies as st

# Made with the published scheme: HMAC key = the client secret's bytes, content id.timestamp.body.
VECTOR_SECRET = "test_client_secret_0123456789"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIME = "1614265330"
VECTOR_BODY = (
    b'{"scope":"store/order/statusUpdated","store_id":"1025646","data":{"type":"order","id":250,'
    b'"status":{"previous_status_id":0,"new_status_id":11}},'
    b'"hash":"7ee67cd1cf2ca60bc1aa9e5fe957d2de373be4ca","created_at":1561479335,'
    b'"producer":"stores/abc123"}'
)
VECTOR_SIGNATURE = "v1,MR0Yr1N06yOEluq4VoZXQhrQRV9pQXK4M1NTgW8dVzY="
SIGNED_AT = datetime.fromtimestamp(1614265330, tz=UTC)


def verifier(*secrets: str) -> Verifier:
    return Verifier(
        secrets or (VECTOR_SECRET,),
        tolerance=timedelta(minutes=5),
        late_limit=timedelta(days=3),
    )


def verify(
    signatures: str = VECTOR_SIGNATURE,
    *,
    by: Verifier | None = None,
    webhook_id: str = VECTOR_ID,
    timestamp: str = VECTOR_TIME,
    body: bytes = VECTOR_BODY,
    now: datetime = SIGNED_AT,
) -> VerifiedHook | None:
    return (by or verifier()).verify(webhook_id, timestamp, signatures, body, now)


def test_the_known_vector_is_genuine() -> None:
    assert verify() == VerifiedHook(VECTOR_ID, SIGNED_AT, Age.FRESH)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, Age.FRESH),
        (300, Age.FRESH),
        (-300, Age.FRESH),
        (301, Age.LATE),
        (-301, Age.LATE),
        (86_400, Age.LATE),
        (3 * 86_400, Age.LATE),
        (3 * 86_400 + 1, Age.EXPIRED),
        (-3 * 86_400 - 1, Age.EXPIRED),
    ],
)
def test_age_is_told_apart_without_doubting_the_signature(seconds: int, age: Age) -> None:
    found = verify(now=SIGNED_AT + timedelta(seconds=seconds))
    assert found is not None
    assert found.age is age


@pytest.mark.parametrize(
    "signatures",
    [
        f"v1a,AAAA {VECTOR_SIGNATURE}",
        f"v2,one,two,three {VECTOR_SIGNATURE}",
        f"nonsense {VECTOR_SIGNATURE}",
        f"v1,%%% {VECTOR_SIGNATURE}",
        f"v1,{base64.b64encode(b'x' * 32).decode()} {VECTOR_SIGNATURE}",
        f"{VECTOR_SIGNATURE} v1",
    ],
)
def test_unknown_versions_and_broken_entries_beside_a_good_one_do_no_harm(signatures: str) -> None:
    assert verify(signatures) is not None


@pytest.mark.parametrize(
    "signatures",
    ["", "v1,", "v1", "v1a," + VECTOR_SIGNATURE[3:], "v2," + VECTOR_SIGNATURE[3:], "v1,é"],
)
def test_without_a_known_version_nothing_is_proven(signatures: str) -> None:
    assert verify(signatures) is None


def test_a_header_of_thousands_of_entries_costs_one_digest_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digests: list[bytes] = []
    decoded: list[str] = []
    real_digest, real_decode = hmac.digest, base64.b64decode

    def digest(key: bytes, content: bytes, name: str) -> bytes:
        digests.append(key)
        return real_digest(key, content, name)

    def decode(text: str, *, validate: bool) -> bytes:
        decoded.append(text)
        return real_decode(text, validate=validate)

    monkeypatch.setattr(hmac, "digest", digest)
    monkeypatch.setattr(base64, "b64decode", decode)
    both = verifier("another-secret", VECTOR_SECRET)
    assert verify("v1, " * 16_000, by=both) is None
    assert verify("v1,AAAA " * 8_000 + VECTOR_SIGNATURE, by=both) is None
    assert len(digests) == 4
    assert len(decoded) <= 2 * MOST_SIGNATURES


@pytest.mark.parametrize(
    "timestamp", ["", "x", "1614265331", "1614265330.5", "-1", "nan", "9" * 40]
)
def test_a_timestamp_that_was_not_signed_is_refused(timestamp: str) -> None:
    assert verify(timestamp=timestamp) is None


def test_another_id_or_none_is_refused() -> None:
    assert verify(webhook_id="") is None
    assert verify(webhook_id=VECTOR_ID + "x") is None


def test_a_body_that_is_no_text_is_judged_by_its_bytes() -> None:
    content = f"{VECTOR_ID}.{VECTOR_TIME}.".encode() + b"\xff\xfe\x00"
    digest = hmac.digest(VECTOR_SECRET.encode(), content, "sha256")
    theirs = f"v1,{base64.b64encode(digest).decode()}"
    assert verify(theirs, body=b"\xff\xfe\x00") is not None
    assert verify(theirs, body=b"\xff\xff\x00") is None
    assert verify(body=b"\xff\xfe\x00") is None


@given(body=st.text())
def test_a_text_has_the_signature_of_the_standard_webhooks_library(body: str) -> None:
    theirs = signer(VECTOR_SECRET).sign(VECTOR_ID, SIGNED_AT, body)
    assert verify(theirs, body=body.encode()) is not None


def test_both_secrets_hold_while_one_replaces_the_other() -> None:
    new = signer("the-new-secret").sign(VECTOR_ID, SIGNED_AT, VECTOR_BODY.decode())
    both = verifier("the-new-secret", VECTOR_SECRET)
    assert verify(by=both) is not None
    assert verify(new, by=both) is not None
    assert verify(new) is None


@given(position=st.integers(0, len(VECTOR_BODY) - 1), bit=st.integers(0, 7))
def test_a_single_flipped_bit_of_the_body_is_noticed(position: int, bit: int) -> None:
    body = bytearray(VECTOR_BODY)
    body[position] ^= 1 << bit
    assert verify(body=bytes(body)) is None


@given(signatures=st.text(max_size=200), webhook_id=st.text(max_size=50), body=st.binary())
def test_no_header_or_body_makes_it_raise(signatures: str, webhook_id: str, body: bytes) -> None:
    assert verify(signatures, webhook_id=webhook_id, body=body) is None
