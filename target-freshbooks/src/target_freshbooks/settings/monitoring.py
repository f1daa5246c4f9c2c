"""Settings of monitoring: who is told of what, and where the metrics go.

They are read apart from the others, since a run is to tell also of settings that it cannot read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connector_credentials.addresses import is_local
from connector_credentials.sandbox_guard import SANDBOX, keep_apart
from connector_credentials.settings import SettingError

from .table import FORM, schema

UNENCRYPTED = frozenset(
    (
        *("amqp", "apprise", "bark", "deltachat", "emby", "enigma2", "evolution", "flowtriq"),
        *("fluxer", "form", "goalert", "gorush", "gotify", "hassio", "humhub", "irc", "jellyfin"),
        *("json", "kodi", "lametric", "mailto", "mastodon", "matrix", "misskey", "mmost", "mqtt"),
        *("ncloud", "nctalk", "notica", "notifico", "ntfy", "onebot", "opsimate", "parsep"),
        *("pinglet", "pjet", "psafer", "pushdeer", "rocket", "session", "signal", "smpp"),
        *("smseagle", "synology", "toot", "trigv", "xbmc", "xml", "xmpp"),
    )
)
"""Schemes of apprise that go out in clear, and have a twin with an `s` behind that does not."""

WEB = frozenset(("json", "jsons", "xml", "xmls", "form", "forms"))
"""Those that go to the host that they name, and to nobody else."""

_NEEDED = ("ledger_url", "metrics_file", "notify_urls", "source")
_REFINING = (
    *("allow_insecure_http", "dry_run", "plan_file"),
    *("notify_silence_hours", "notify_waiting_days"),
)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Who is told of what, and where the metrics go.

    Attributes:
        notify_urls: The services to tell, as URLs of apprise; they hold secrets.
        notify_waiting_days: An order that waits so many days after it was placed is told; 0: none.
        notify_silence_hours: It is told when no run has ended well for so long; 0: never.
        metrics_file: The file for Prometheus.
        ledger_url: Where it is kept what was told.
        source: Of the ledger.
        dry_run: Nobody is told anything, and no metrics are written.
    """

    notify_urls: tuple[str, ...] = field(repr=False)
    notify_waiting_days: int
    notify_silence_hours: int
    metrics_file: Path | None
    ledger_url: str = field(repr=False)
    source: str
    dry_run: bool

    @property
    def is_on(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.notify_urls or self.metrics_file) and not self.dry_run


def read_monitoring(
    config: Mapping[str, Any],
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    leniently: bool = False,
) -> Monitoring:
    """Check and type these settings alone.

    Args:
        config: All values as they were given.
        environment: The process': a run for the sandbox tells nobody but this machine.
        leniently: Take the default for what only refines the others and cannot be read.

    Raises:
        SettingError: Names the setting and says what it must be.
    """
    values = _values(config, _NEEDED)
    for name in _REFINING:
        try:
            values |= _values(config, (name,))
        except SettingError:
            if not leniently:
                raise
            values[name] = schema["properties"][name].get("default")
    values["dry_run"] |= bool(values.pop("plan_file"))
    # A file of secrets has a line for each.
    urls = tuple(url for entry in values["notify_urls"] or () for url in entry.split())
    outside = _outside(urls, allow_insecure_http=values.pop("allow_insecure_http"))
    file = Path(values["metrics_file"]).resolve() if values["metrics_file"] else None
    if file is not None and file.parent.name != SANDBOX:
        outside.append(
            f"{_variable('metrics_file')} leads to {file}, which is in no folder named {SANDBOX}"
        )
    databases = {_variable("ledger_url"): values["ledger_url"]} if leniently else {}
    keep_apart(environment, addresses={}, databases=databases, others=outside)
    return Monitoring(**values | {"notify_urls": urls, "metrics_file": file})


def scheme(url: str) -> str:
    """The URL's scheme: as much of it as may be shown."""
    return url.partition("://")[0].lower()


def _values(config: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    known = {*names, *(f"{name}_file" for name in names)} & FORM.properties.keys()
    read = FORM.read({name: value for name, value in config.items() if name in known})
    return {name: read.get(name, schema["properties"][name].get("default")) for name in names}


def _outside(urls: Sequence[str], *, allow_insecure_http: bool) -> list[str]:
    """What leads to somebody real, as parts of a sentence.

    Hosts are not shown: in many of these URLs a secret stands in that place.

    Raises:
        SettingError: One is no URL, or goes out in clear.
    """
    outside = []
    for place, url in enumerate(urls, 1):
        kind = scheme(url)
        if "://" not in url or not kind.replace("+", "").isalnum():
            raise SettingError(
                f"The setting notify_urls must be a list of URLs such as mailtos://… or slack://…,"
                f" and the {ordinal(place)} is none. One that holds a comma has to stand in a JSON"
                ' list: ["mailtos://…"].'
            )
        if kind in {*UNENCRYPTED, "http"} and not is_local(url) and not allow_insecure_http:
            raise SettingError(
                f"The {ordinal(place)} of notify_urls goes out by {kind}://, unencrypted, where"
                " everybody on the way can read its secrets. Nothing was sent. Write"
                f" {kind}s://, or set allow_insecure_http to true if the whole way is yours."
            )
        if kind not in WEB or not is_local(url):
            outside.append(
                f"{_variable('notify_urls')} leads to somebody else than json, xml or form on this"
                f" machine's loopback ({ordinal(place)} URL)"
            )
    return outside


def ordinal(place: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th` and so on; for lists of a few."""
    return f"{place}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place, 'th') }"


def _variable(name: str) -> str:
    return f"{FORM.prefix}{name.upper()}"
