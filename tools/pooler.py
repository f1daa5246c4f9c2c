"""A pgbouncer before a PostgreSQL server, for tests of what cannot be done through a pooler."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 20

CONFIG = """
[databases]
* = host={folder} port=5432 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(server: str, mode: str) -> Iterator[str]:
    """Put a pooler before a server.

    Args:
        server: URL of a database, by the folder of the server's socket.
        mode: `transaction` or `session`.

    Yields:
        URL of the same database through the pooler.

    Raises:
        FileNotFoundError: There is no pgbouncer here.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise FileNotFoundError("no pgbouncer is installed here")
    url = make_url(server)
    at = Path(str(url.query["host"]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root it gives its rights up and reads this as the server's owner
        config = folder / "pgbouncer.ini"
        config.write_text(CONFIG.format(folder=at, port=port, mode=mode), encoding="utf-8")
        user = ["-u", at.owner()] if os.geteuid() == 0 else []
        process = subprocess.Popen([program, "-q", *user, str(config)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            pooled = url.set(host="127.0.0.1", port=port, username="postgres", query={})
            yield pooled.render_as_string(hide_password=False)
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if time.monotonic() > give_up:
            raise TimeoutError("pgbouncer does not answer")
        time.sleep(0.05)
