"""The settings, read from ``WEBHOOKS_*`` in the environment or from a JSON file.

Every number is a whole one, so durations are seconds, milliseconds, hours or days, as the name
says. What cannot be read, or has nearly a setting's name, stops the program.
"""

from __future__ import annotations

import logging
import re
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from connector_credentials.addresses import require_tls
from connector_credentials.sandbox_guard import keep_apart
from connector_credentials.settings import Form, SettingError, read_value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "WEBHOOKS_"
DEFAULT_PATH = "/webhooks"
EXCEPTIONS_SUFFIX = "/delivery-exceptions"
# One environment string may hold 128 KiB on Linux; a thousand ids stay far below it.
MOST_ORDERS_PER_RUN = 1000
# A process may have 1,024 files open unless told otherwise; the inbox and new arrivals need some.
MOST_CONNECTIONS = 700
SECONDS_A_DAY = 86_400
LARGEST = 3_650 * SECONDS_A_DAY
_ADDRESS = {"type": "string", "format": "uri"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may set; secrets stay out of ``repr``.

    Attributes:
        store_hash: The store whose hooks are taken; others are told apart by ``producer``.
        client_secret: Client secret(s) of the API account that registered the hooks, comma
            separated while one replaces another.
        access_token: X-Auth-Token of the same API account; needed by register, list and check.
        credentials_url: SQLAlchemy URL of the encrypted store, instead of the two above.
        encryption_key: Key(s) of that store.
        api_url: Origin of the BigCommerce API.
        allow_insecure_http: Whether that may be http on another machine than this one.
        destination: Public https URL at which BigCommerce reaches the receiver.
        path: Path the receiver serves; empty means the path of ``destination``.
        shared_header_name: Header that each hook must carry besides its signature; empty for none.
        shared_header_value: What that header must hold.
        inbox_url: SQLAlchemy URL of the inbox, SQLite or PostgreSQL.
        host: Address to listen on.
        port: Port to listen on; 0 picks a free one.
        internal_host: Address for what is not for the internet: readiness, figures, description.
        internal_port: Port for that; 0 picks a free one, as port 0 does.
        max_connections: Most connections at once.
        max_connections_per_address: Most of them from one address.
        header_timeout_seconds: Longest time for a request's header.
        max_body_bytes: A larger request is answered 413.
        request_timeout_seconds: Longest time for a request's body, and for its commit.
        timestamp_tolerance_seconds: A signature older or newer than this counts as late.
        late_limit_seconds: A genuine signature late by more than this is answered, not queued.
        collapse_milliseconds: Longest wait for further hooks of an order before its run; a fifth of
            it without one is enough.
        max_orders_per_run: Most orders one run is asked for.
        run_command: Shell line instead of the ordinary ``meltano run``.
        run_directory: Where the run starts; empty means the Meltano project, else here.
        run_timeout_seconds: A run that takes longer is ended and tried again.
        retry_base_seconds: First pause after a failed run; it doubles each time.
        retry_max_seconds: Longest pause between two tries.
        stuck_after_tries: ``check`` and ``status`` name an order that failed so often by itself.
        retention_days: The ids of hooks are forgotten after so many days.
        silent_hours: ``check`` complains when no hook came for so long; 0 turns that off.
        shutdown_seconds: Time a run in work is given to finish after SIGTERM.
    """

    store_hash: str = ""
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    credentials_url: str = field(default="", repr=False)
    encryption_key: str = field(default="", repr=False)
    api_url: str = "https://api.bigcommerce.com"
    allow_insecure_http: bool = False
    destination: str = ""
    path: str = ""
    shared_header_name: str = ""
    shared_header_value: str = field(default="", repr=False)
    inbox_url: str = field(default="sqlite:///data/webhooks.sqlite", repr=False)
    host: str = "127.0.0.1"
    port: int = 8788
    internal_host: str = "127.0.0.1"
    internal_port: int = 8789
    max_connections: int = 512
    max_connections_per_address: int = 256
    header_timeout_seconds: int = 10
    max_body_bytes: int = 65_536
    request_timeout_seconds: int = 10
    timestamp_tolerance_seconds: int = 300
    late_limit_seconds: int = 3 * SECONDS_A_DAY
    collapse_milliseconds: int = 2_000
    max_orders_per_run: int = 50
    run_command: str = field(default="", repr=False)
    run_directory: str = ""
    run_timeout_seconds: int = 900
    retry_base_seconds: int = 5
    retry_max_seconds: int = 3_600
    stuck_after_tries: int = 20
    retention_days: int = 30
    silent_hours: int = 48
    shutdown_seconds: int = 30

    def __post_init__(self) -> None:
        if self.store_hash and not re.fullmatch(r"[a-z0-9]+", self.store_hash):
            raise SettingError(  # which is not shown: it may be a token in a wrong place
                "The setting store_hash is not one: it is the part abc123 of"
                " https://store-abc123.mybigcommerce.com, lower-case letters and digits only."
            )
        if self.destination:
            read_value("destination", self.destination, _ADDRESS)
        if set("?#") & set(self.hook_path) or set("{}") & set(unquote(self.hook_path)):
            raise SettingError(
                f"The path {self.hook_path!r} (of path, else of destination) must be one without "
                "braces, query and fragment: no hook would be taken at it."
            )
        if bool(self.shared_header_name) != bool(self.shared_header_value):
            raise SettingError(
                "shared_header_name and shared_header_value belong together: set both or neither."
            )
        if self.port and self.port == self.internal_port:
            raise SettingError(
                f"port and internal_port are both {self.port}: set another internal_port."
            )
        if self.retention_days * SECONDS_A_DAY < 2 * self.late_limit_seconds:
            raise SettingError(
                f"retention_days ({self.retention_days}) must span at least twice "
                f"late_limit_seconds ({self.late_limit_seconds}): a hook's id has to be remembered "
                "for as long as a copy of it would still be queued."
            )

    @property
    def is_set_up(self) -> bool:
        """Whether anything says that hooks are received: a store, a secret, or where they go."""
        credentials = self.client_secret or self.access_token or self.credentials_url
        return bool(self.store_hash or credentials or self.destination)

    @property
    def hook_path(self) -> str:
        """Path at which the receiver takes hooks, in an address's form: `%20` for a blank."""
        path = self.path or (urlsplit(self.destination).path or "/" if self.destination else "")
        return "/" + path.removeprefix("/") if path else DEFAULT_PATH

    @property
    def exceptions_path(self) -> str:
        """Path for BigCommerce's own complaints, which need a destination of their own."""
        return self.hook_path.rstrip("/") + EXCEPTIONS_SUFFIX


_BOUNDS = {
    "port": (0, 65_535),
    "internal_port": (0, 65_535),
    "max_connections": (1, MOST_CONNECTIONS),
    "max_connections_per_address": (1, LARGEST),
    "header_timeout_seconds": (1, SECONDS_A_DAY),
    "max_body_bytes": (1, LARGEST),
    "request_timeout_seconds": (1, SECONDS_A_DAY),
    "timestamp_tolerance_seconds": (1, LARGEST),
    "late_limit_seconds": (0, LARGEST),
    "collapse_milliseconds": (0, 1_000 * SECONDS_A_DAY),
    "max_orders_per_run": (1, MOST_ORDERS_PER_RUN),
    "run_timeout_seconds": (1, LARGEST),
    "retry_base_seconds": (1, LARGEST),
    "retry_max_seconds": (1, LARGEST),
    "stuck_after_tries": (1, LARGEST),
    "retention_days": (1, 36_500),
    "silent_hours": (0, 87_600),
    "shutdown_seconds": (0, LARGEST),
}
"""The least and the most of each number; beyond, dates and the system's clocks end."""


def _schema(name: str, *, secret: bool) -> dict[str, Any]:
    if name in _BOUNDS:
        least, most = _BOUNDS[name]
        return {"type": "integer", "minimum": least, "maximum": most}
    if name == "allow_insecure_http":
        return {"type": "boolean"}
    if name == "api_url":
        return _ADDRESS
    return {"type": "string", "secret": secret}


FORM = Form(
    PREFIX,
    {f.name: _schema(f.name, secret=not f.repr) for f in fields(Settings)},
    others=frozenset({"log_level"}),
)


def load(
    environment: Mapping[str, str],
    file: Path | None = None,
    arguments: Mapping[str, object] | None = None,
) -> Settings:
    """Read the settings; the file wins over the environment, and the command line over both.

    Args:
        environment: Names as ``WEBHOOKS_STORE_HASH``; an empty value counts as not given.
        file: A JSON object of settings.
        arguments: Of the command line; None for one that is not given.

    Raises:
        SettingError: A value has the wrong form, or a name is nearly that of a setting.
    """
    given = FORM.of_environment(environment) | ({} if file is None else FORM.of_file(file, log))
    FORM.check_names(given, environment, log)
    said = {name: value for name, value in (arguments or {}).items() if value is not None}
    read = FORM.read(given | said)
    typed: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in read.items()
        if name in FORM.properties
    }
    return Settings(**typed)


def log_level(environment: Mapping[str, str]) -> str:
    """Read how much is to be logged, which is no setting of a file; INFO where it is not said.

    Raises:
        SettingError: There is no such level.
    """
    name = PREFIX + "LOG_LEVEL"
    given = environment.get(name, "").strip().upper() or "INFO"
    return str(read_value(name, given, {"enum": LOG_LEVELS}))


def check_addresses(settings: Settings, environment: Mapping[str, str], url: str = "") -> None:
    """Refuse what is real where Meltano's environment is the sandbox's, and http elsewhere.

    Args:
        settings: What the operator asked for.
        environment: The process' environment.
        url: Where ``send-test`` was told to send its hook.

    Raises:
        SettingError: Names the variable and says what it leads to.
    """
    if url:
        read_value("--url", url, _ADDRESS)
    keep_apart(
        environment,
        addresses={
            "WEBHOOKS_API_URL": settings.api_url,
            "WEBHOOKS_DESTINATION": settings.destination,
            "--url": url,
        },
        databases={
            "WEBHOOKS_INBOX_URL": settings.inbox_url,
            "WEBHOOKS_CREDENTIALS_URL": settings.credentials_url,
        },
    )
    require_tls(
        {"api_url": settings.api_url, "--url": url},
        allow_insecure_http=settings.allow_insecure_http,
    )


def defaults() -> dict[str, object]:
    """Every setting with its default, for documentation that cannot go stale."""
    return {
        f.name: str(f.default).lower() if isinstance(f.default, bool) else f.default
        for f in fields(Settings)
        if f.default is not MISSING
    }
