"""Web addresses: which host they lead to, and whether secrets may go there unencrypted."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from .settings import SettingError


def require_tls(addresses: Mapping[str, str | None], *, allow_insecure_http: bool) -> None:
    """Refuse `http://` to another machine than this one, unless the operator allows it.

    Args:
        addresses: URLs that the program may contact, by the setting that holds each.
        allow_insecure_http: The setting of that name.

    Raises:
        SettingError: Names the setting, the host and the cure.
    """
    for setting, address in addresses.items():
        if allow_insecure_http or not address or is_local(address):
            continue
        if address.strip().lower().startswith("http:"):
            raise SettingError(
                f"{setting} leads to {host(address) or 'no host'} by http://, where everybody on"
                " the way can read the secrets and change the answers. Nothing was sent. Write"
                " https://, or set allow_insecure_http to true if the whole way is yours."
            )


def is_local(address: str) -> bool:
    """Whether a URL leads to this machine's loopback."""
    name = host(address)
    try:
        return name is not None and (name == "localhost" or ip_address(name).is_loopback)
    except ValueError:
        return False


def host(address: str) -> str | None:
    """The host that a URL leads to, without port and login; None if it names none."""
    try:
        # Clients end the host at a backslash; `urlsplit` does not.
        return urlsplit(address.strip().replace("\\", "/")).hostname
    except ValueError:
        return None
