"""Wanted hooks against registered hooks: the difference, and mending it.

Wanted are the scopes after which an order's invoice may differ, one hook each, plus BigCommerce's
own complaints about delivery at a destination of their own. Singly named rather than
``store/order/*``: whether the wildcard covers refunds and transactions is not documented, and it
would bring messages and custom fields, which change nothing. Other hooks of the account are left
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector_webhooks.errors import ApiError, SettingsError
from connector_webhooks.hook import DELIVERY_EXCEPTION
from connector_webhooks.settings import EXCEPTIONS_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector_webhooks.bigcommerce import HooksApi, RegisteredHook
    from connector_webhooks.settings import Settings

ORDER_SCOPES = (
    "store/order/created",
    "store/order/updated",
    "store/order/archived",
    "store/order/statusUpdated",
    "store/order/refund/created",
    "store/order/transaction/created",
    "store/order/transaction/updated",
)
HTTPS_PORT = 443
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TAKEN = frozenset({409, 422})


@dataclass(frozen=True, slots=True)
class WantedHook:
    """A hook that should exist and be active."""

    scope: str
    destination: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What separates the registered hooks from the wanted ones.

    Attributes:
        missing: To be created.
        switched_off: Exist, but BigCommerce sends nothing.
        other_headers: Exist, but do not carry the shared header.
        good: Exist as wanted.
    """

    missing: tuple[WantedHook, ...]
    switched_off: tuple[RegisteredHook, ...]
    other_headers: tuple[RegisteredHook, ...]
    good: tuple[RegisteredHook, ...]


@dataclass(frozen=True, slots=True)
class Mending:
    """What was done about a difference.

    Attributes:
        created: Hooks made.
        activated: Hooks switched on again.
        headed: Hooks whose shared header was set.
        refused: In words, what BigCommerce would not do.
    """

    created: tuple[str, ...]
    activated: tuple[str, ...]
    headed: tuple[str, ...]
    refused: tuple[str, ...]


def wanted(settings: Settings, *, allow_insecure: bool = False) -> tuple[WantedHook, ...]:
    """The hooks that the settings ask for.

    Raises:
        SettingsError: BigCommerce could not reach the destination.
    """
    destination = check_destination(settings.destination, allow_insecure=allow_insecure)
    exceptions = destination.rstrip("/") + EXCEPTIONS_SUFFIX
    return (
        *(WantedHook(scope, destination) for scope in ORDER_SCOPES),
        WantedHook(DELIVERY_EXCEPTION, exceptions),
    )


def check_destination(destination: str, *, allow_insecure: bool = False) -> str:
    """Return the destination if BigCommerce can send to it: https, port 443, no query.

    Args:
        destination: The URL.
        allow_insecure: Let plain http and other ports pass on the loopback, for the sandbox.

    Raises:
        SettingsError: It cannot; the text says why.
    """
    if not destination:
        raise SettingsError(
            "No destination: set WEBHOOKS_DESTINATION to the public https URL of the receiver."
        )
    parts = urlsplit(destination)
    try:
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"destination {destination!r} has no valid port.") from error
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise SettingsError(
            f"destination {destination!r} must be of the form https://host/path, without "
            "query or login."
        )
    loopback = parts.hostname in _LOOPBACK
    if loopback and allow_insecure and parts.scheme in {"http", "https"}:
        return destination
    if loopback:
        raise SettingsError(
            f"destination {destination!r} is this machine itself: BigCommerce cannot reach it. "
            "For the sandbox add --allow-insecure."
        )
    if parts.scheme != "https" or port not in {None, HTTPS_PORT}:
        raise SettingsError(
            f"destination {destination!r} would get nothing: BigCommerce sends hooks to https on "
            "port 443 only, with a certificate of a public authority. Put the receiver behind a "
            "TLS proxy (docs/webhooks.md has examples)."
        )
    return destination


def shared_headers(settings: Settings) -> dict[str, str]:
    """The custom headers each hook is to carry."""
    if not settings.shared_header_name:
        return {}
    return {settings.shared_header_name: settings.shared_header_value}


def compare(
    want: Sequence[WantedHook], have: Sequence[RegisteredHook], headers: Mapping[str, str]
) -> Difference:
    """Compare what should be with what is. Pure."""
    by_key = {(hook.scope, hook.destination): hook for hook in have}
    found = [by_key.get((w.scope, w.destination)) for w in want]
    present = [hook for hook in found if hook is not None]
    off = tuple(hook for hook in present if not hook.is_active)
    headless = tuple(hook for hook in present if hook.is_active and not _carries(hook, headers))
    return Difference(
        missing=tuple(w for w, hook in zip(want, found, strict=True) if hook is None),
        switched_off=off,
        other_headers=headless,
        good=tuple(hook for hook in present if hook not in off and hook not in headless),
    )


def mend(api: HooksApi, difference: Difference, headers: Mapping[str, str]) -> Mending:
    """Create, switch on and set headers. What BigCommerce refuses is told, and the rest goes on.

    Raises:
        ApiError: BigCommerce cannot be worked with at all (token, quota, network).
    """
    created: list[str] = []
    activated: list[str] = []
    headed: list[str] = []
    refused: list[str] = []
    for want in difference.missing:
        try:
            api.create(want.scope, want.destination, headers)
        except ApiError as error:
            if error.status not in _TAKEN:
                raise
            refused.append(_refusal(want.scope, error))
        else:
            created.append(want.scope)
    for hook, done in (
        *((hook, activated) for hook in difference.switched_off),
        *((hook, headed) for hook in difference.other_headers),
    ):
        try:
            api.update(hook.id, {**hook.headers, **headers})
        except ApiError as error:
            if error.status not in _TAKEN | {404}:
                raise
            refused.append(_refusal(hook.scope, error))
        else:
            done.append(hook.scope)
    return Mending(tuple(created), tuple(activated), tuple(headed), tuple(refused))


def _refusal(scope: str, error: ApiError) -> str:
    hint = (
        " An account may have only one hook of this scope; is there one with another destination?"
        if scope == DELIVERY_EXCEPTION
        else " At most ten hooks per scope are allowed; delete what is not used."
    )
    return f"{scope}: {error}{hint}"


def _carries(hook: RegisteredHook, headers: Mapping[str, str]) -> bool:
    theirs = {name.lower(): value for name, value in hook.headers.items()}
    return all(theirs.get(name.lower()) == value for name, value in headers.items())
