"""The shipped nginx before a real receiver; skipped where there is no nginx."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment
from connector_sandbox.testing import until
from connector_sandbox.testing.certificate import write_certificate
from connector_webhooks.settings import Settings

from demo.project import ROOT
from demo.receiver import call, inbox_hooks, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.receiver import Receiver

pytestmark = pytest.mark.more
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
"""What Debian has apart, as libnginx-mod-stream, and the image's nginx within."""


def counts_connections() -> bool:
    if NGINX is None:
        return False
    built = subprocess.run([NGINX, "-V"], capture_output=True, text=True, check=True).stderr
    return STREAM.exists() or "--with-stream" in built.split()


needs_nginx = pytest.mark.skipif(
    not counts_connections(), reason="no nginx with its stream module is installed here"
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """One that receives and runs nothing."""
    (tmp_path / "sandbox").mkdir()
    environment = clean_environment() | {
        "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
        "WEBHOOKS_CLIENT_SECRET": constants.BIGCOMMERCE_CLIENT_SECRET,
        "WEBHOOKS_INBOX_URL": f"sqlite:///{tmp_path}/sandbox/webhooks.sqlite",
        "WEBHOOKS_RUN_COMMAND": "false",
    }
    with serving(environment, tmp_path) as running:
        yield running


@contextmanager
def proxy(receiver: Receiver, home: Path) -> Iterator[str]:
    """Run nginx with the configuration as it is shipped, but for addresses and the certificate."""
    assert NGINX is not None
    certificate, port, inner = write_certificate(home / "127.0.0.1.pem"), free_port(), free_port()
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for shipped, here in (
        (" /tmp/", f" {home}/"),
        ("/run/secrets/tls_certificate", str(certificate)),
        ("/run/secrets/tls_key", str(certificate)),
        ("receiver:8788", receiver.url.removeprefix("http://")),
        ("listen 8443;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8444", f"127.0.0.1:{inner}"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    if STREAM.exists():
        text = f"load_module {STREAM};\n{text}"
    file = home / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    command = [NGINX, "-c", str(file), "-e", "stderr", "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: answers(port) or process.poll() is not None, "nginx")
        assert process.poll() is None, process.stderr and process.stderr.read()
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@needs_nginx
def test_hooks_pass_the_proxy_unchanged_and_nothing_else_does(
    receiver: Receiver, tmp_path: Path
) -> None:
    with proxy(receiver, tmp_path) as url:
        trusted = str(tmp_path / "127.0.0.1.pem")
        told = call(
            {**receiver.environment, "REQUESTS_CA_BUNDLE": trusted},
            *("send-test", "250", "--url", f"{url}{Settings().hook_path}"),
        )
        assert "200" in told
        assert len(inbox_hooks(tmp_path)) == 1
        context = ssl.create_default_context(cafile=trusted)
        with httpx.Client(base_url=url, verify=context) as client:
            assert client.post("/webhooks", content=b"{}").status_code == 401  # the receiver's word
            assert client.post("/webhooks/delivery-exceptions", content=b"{}").status_code == 401
            most = Settings().max_body_bytes
            assert client.post("/webhooks", content=b" " * most).status_code == 401
            assert client.post("/webhooks", content=b" " * (most + 1)).status_code == 413
            for path in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/webhooks/x"):
                assert client.get(path).status_code == 404
    assert len(inbox_hooks(tmp_path)) == 1


@needs_nginx
@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01"])
def test_hooks_pass_while_2000_connections_of_one_address_hang(
    receiver: Receiver, tmp_path: Path, begun: bytes
) -> None:
    with proxy(receiver, tmp_path) as url, ExitStack() as hanging:
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        others = [
            hanging.enter_context(socket.create_connection(address, 5, ("127.0.0.2", 0)))
            for _ in range(2000)
        ]
        for other in others:
            with suppress(ConnectionError):
                other.sendall(begun)
        most = Settings().max_connections_per_address
        until(lambda: sum(map(is_closed, others)) >= 2000 - most, "nginx to close the rest", 5)
        environment = {
            **receiver.environment,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "127.0.0.1.pem"),
        }
        for order in range(250, 255):
            told = call(
                environment, "send-test", str(order), "--url", f"{url}{Settings().hook_path}"
            )
            assert "200" in told
    assert len(inbox_hooks(tmp_path)) == 5
