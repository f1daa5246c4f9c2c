"""The network as the machine has it: its authorities, its proxies, and certificates of nobody."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def connect(token: str) -> Iterator[Callable[[str], Connection]]:
    made = []

    def to(url: str) -> Connection:
        made.append(
            Connection(
                base_url=f"{url}/stores/abc123",
                token=lambda: token,
                user_agent="test",
                request_timeout=10,
                max_retry_seconds=600,
                quota_percent=90,
                max_concurrency=1,
            )
        )
        return made[-1]

    yield to
    for one in made:
        one.close()


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "authority.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture
def secure_shop(authority: Path) -> Iterator[str]:
    """A shop behind TLS; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"id": "abc123"}')

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            """A client that does not trust it goes away."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_authority_of_the_machine_is_trusted(
    secure_shop: str,
    connect: Callable[[str], Connection],
    authority: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    assert connect(secure_shop).get("/v2/store")["id"] == "abc123"


def test_a_certificate_of_nobody_is_told_at_once_with_the_cure(
    secure_shop: str, connect: Callable[[str], Connection]
) -> None:
    with pytest.raises(Refused, match=r"127\.0\.0\.1:\d+ shows is not trusted.*REQUESTS_CA_BUNDLE"):
        connect(secure_shop).get("/v2/store")


def test_a_proxy_of_the_machine_is_used(
    shop: Any, connect: Callable[[str], Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", shop.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert connect("http://store.invalid").get("/v2/store")["id"] == "abc123"
    assert len(shop.requests) == 1
