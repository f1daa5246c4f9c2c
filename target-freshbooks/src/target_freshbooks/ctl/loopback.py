"""The redirect URI served for one request on this machine, so that no code need be pasted.

FreshBooks wants an HTTPS redirect URI. For `https://localhost:PORT/...` a certificate is made on
the spot; the browser warns once, since nobody vouches for it, and the code goes no further.

A browser opens connections ahead and leaves them idle, so each has a thread of its own, which
also makes its TLS handshake.
"""

import contextlib
import socket
import ssl
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

WAIT_SECONDS = 300
IDLE_SECONDS = 5
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def wait_for_browser(redirect_uri: str) -> str:
    """Serve the redirect URI until the browser comes; returns the address it asked for.

    Raises:
        click.ClickException: The URI is not of this machine, or nobody came within five minutes.
    """
    parts = urlsplit(redirect_uri)
    if parts.hostname not in LOCAL:
        raise click.ClickException(
            f"--loopback needs a redirect URI on localhost, not {parts.hostname}."
        )
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_SECONDS

        @override
        def handle(self) -> None:
            # Of a connection that stays idle, or mistrusts the certificate, nothing is to be said.
            with contextlib.suppress(OSError):
                if isinstance(self.connection, ssl.SSLSocket):
                    self.connection.do_handshake()
                super().handle()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """The address holds the code: it is not logged."""

        def do_GET(self) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(b"You can close this window and go back to the terminal.\n")
            finally:  # last, for the process may end with it
                if "code=" in self.path or "error=" in self.path:
                    came.append(self.path)

    secure = parts.scheme == "https"
    address = (parts.hostname, parts.port or (443 if secure else 80))
    give_up = time.monotonic() + WAIT_SECONDS
    with _Server(address, Handler) as server:
        server.context = _context(parts.hostname) if secure else None
        while not came:
            if time.monotonic() > give_up:
                raise click.ClickException("Nobody came back from FreshBooks within five minutes.")
            server.handle_request()
    return f"{parts.scheme}://{parts.netloc}{came[0]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    timeout = 0.2
    context: ssl.SSLContext | None = None

    @override
    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address


def _context(host: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "loopback.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(pem)
    return context
