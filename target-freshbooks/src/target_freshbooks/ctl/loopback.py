"""The redirect URI served for one request on this machine, so that no code need be pasted.

FreshBooks wants an HTTPS redirect URI. For `https://localhost:PORT/...` a certificate is made on
the spot; the browser warns once, since nobody vouches for it, and the code goes no further.

Any page in the browser, and any program of the machine, can ask this port. So one address of it
answers at all, under the name that was told, and only the page's own answer ends the waiting.

A browser opens connections ahead and leaves them idle, so each has a thread of its own, which
also makes its TLS handshake.
"""

import contextlib
import socket
import ssl
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

WAIT_SECONDS = 300
IDLE_SECONDS = 5
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def wait_for_browser(redirect_uri: str, is_answer: Callable[[str], bool]) -> str:
    """Serve the redirect URI until the browser comes; returns the address it asked for.

    Args:
        redirect_uri: The app's.
        is_answer: Whether an address is the one that is waited for; others are refused.

    Raises:
        click.ClickException: The URI is not of this machine or its port is not free, or nobody
            came within five minutes.
    """
    parts = urlsplit(redirect_uri)
    if parts.hostname not in LOCAL:
        raise click.ClickException(
            f"--loopback needs a redirect URI on localhost, not {parts.hostname}."
        )
    give_up = time.monotonic() + WAIT_SECONDS
    try:
        server = _Server(parts, is_answer)
    except OSError as error:
        raise click.ClickException(
            f"--loopback cannot listen where {redirect_uri} leads ({error.strerror}): end what"
            " listens there, or give the app and redirect_uri a free port above 1023, as in"
            " https://localhost:8443/callback."
        ) from None
    with server:
        while not server.came:
            if time.monotonic() > give_up:
                raise click.ClickException("Nobody came back from FreshBooks within five minutes.")
            server.handle_request()
    return server.came[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    timeout = 0.2

    def __init__(self, uri: SplitResult, is_answer: Callable[[str], bool]) -> None:
        host, usual = uri.hostname or "", 443 if uri.scheme == "https" else 80
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.context = _context(host) if uri.scheme == "https" else None
        self.origin = f"{uri.scheme}://{uri.netloc}"
        self.path = uri.path or "/"
        name, port = f"[{host}]" if ":" in host else host, uri.port or usual
        self.hosts = [[f"{name}:{port}"], *([[name]] if port == usual else [])]
        self.is_answer = is_answer
        self.came: list[str] = []
        super().__init__((host, port), _Handler)

    @override
    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address


class _Handler(BaseHTTPRequestHandler):
    timeout = IDLE_SECONDS
    server: _Server

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

    @override
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Nothing is here, for whatever else is asked and in whatever way."""
        self._say(HTTPStatus.NOT_FOUND, "Nothing is here.")

    def do_GET(self) -> None:
        target = self.requestline.split()[1]  # `path` has its slashes put in order
        hosts = [host.lower() for host in self.headers.get_all("Host", [])]
        if target.partition("?")[0] != self.server.path or hosts not in self.server.hosts:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif not self.server.is_answer(address := f"{self.server.origin}{target}"):
            words = "This does not answer the page that login printed last: go on there."
            self._say(HTTPStatus.BAD_REQUEST, words)
        else:
            try:
                self._say(HTTPStatus.OK, "You can close this window and go back to the terminal.")
            finally:  # last, for the process may end with it
                self.server.came.append(address)

    def _say(self, status: HTTPStatus, words: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"{words}\n".encode())


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
