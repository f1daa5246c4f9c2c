"""Wanted hooks against registered hooks: what differs is reconciled.

Wanted are the scopes after which an order's invoice may differ, one hook each, plus BigCommerce's
own complaints about delivery at a destination of their own. Singly named rather than
``store/order/*``: whether the wildcard covers refunds and transactions is not documented, and it
would bring messages and custom fields, which change nothing. Other hooks of the account are left
alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector_credentials.commands import webhooks
from connector_credentials.settings import SettingError

from connector_webhooks.errors import ApiError
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
_REFUSED = frozenset({404, 409, 422})


@dataclass(frozen=True, slots=True)
class WantedHook:
    """A hook that should exist and be active."""

    scope: str
    destination: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found, and what was done about it.

    Attributes:
        registered: The wanted hooks that there were.
        created: Scopes of hooks made.
        activated: Scopes of hooks switched on again.
        headers_set: Scopes of hooks whose shared header was set.
        unchanged: Scopes of hooks that were as wanted.
        refused: In words, what BigCommerce would not do.
    """

    registered: list[RegisteredHook] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    activated: list[str] = field(default_factory=list)
    headers_set: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def wanted(settings: Settings, *, allow_insecure: bool = False) -> tuple[WantedHook, ...]:
    """The hooks that the settings ask for.

    Raises:
        SettingError: BigCommerce could not reach the destination.
    """
    destination = check_destination(settings.destination, allow_insecure=allow_insecure)
    return (
        *(WantedHook(scope, destination) for scope in ORDER_SCOPES),
        WantedHook(DELIVERY_EXCEPTION, _exceptions(destination)),
    )


def check_destination(destination: str, *, allow_insecure: bool = False) -> str:
    """Return the destination if BigCommerce can send to it: https, port 443, no query.

    Args:
        destination: The web address that the settings have.
        allow_insecure: Let plain http and other ports pass on the loopback, for the sandbox.

    Raises:
        SettingError: It cannot; the text says why.
    """
    if not destination:
        raise SettingError(
            "No destination: set WEBHOOKS_DESTINATION to the public https URL of the receiver."
        )
    parts = urlsplit(destination)
    if parts.query or parts.fragment or parts.username or parts.password:
        raise SettingError(
            f"destination {destination!r} must be of the form https://host/path, without "
            "query or login."
        )
    loopback = parts.hostname in _LOOPBACK
    if loopback and allow_insecure and parts.scheme in {"http", "https"}:
        return destination
    if loopback:
        raise SettingError(
            f"destination {destination!r} is this machine itself: BigCommerce cannot reach it. "
            "For the sandbox add --allow-insecure."
        )
    if parts.scheme != "https" or parts.port not in {None, HTTPS_PORT}:
        raise SettingError(
            f"destination {destination!r} would get nothing: BigCommerce sends hooks to https on "
            "port 443 only, with a certificate of a public authority. Put the receiver behind a "
            "TLS proxy (docs/webhooks.md has examples)."
        )
    return destination


def shared_headers(settings: Settings) -> dict[str, str]:
    """The custom headers each hook is to carry."""
    name, value = settings.shared_header_name, settings.shared_header_value
    return {name: value} if name else {}


def reconcile(api: HooksApi, want: Sequence[WantedHook], headers: Mapping[str, str]) -> Reconciled:
    """Create, switch on and set headers. What BigCommerce refuses is told, and the rest goes on.

    Raises:
        ApiError: BigCommerce cannot be worked with at all (token, quota, network).
    """
    there = {(hook.scope, hook.destination): hook for hook in api.hooks()}
    found = Reconciled()
    for one in want:
        hook = there.get((one.scope, one.destination))
        if hook is not None:
            found.registered.append(hook)
            if hook.is_active and _carries(hook, headers):
                found.unchanged.append(one.scope)
                continue
        try:
            if hook is None:
                api.create(one.scope, one.destination, headers)
                found.created.append(one.scope)
            elif not api.update(hook.id, _with(hook.headers, headers)):
                found.refused.append(
                    f"{one.scope}: BigCommerce leaves hook {hook.id} switched off. If its scope is "
                    "still right, delete it and register anew: "
                    f"`{webhooks('unregister', one.destination)}`, `{webhooks('register')}`."
                )
            else:
                (found.headers_set if hook.is_active else found.activated).append(one.scope)
        except ApiError as error:
            if error.status not in _REFUSED:
                raise
            found.refused.append(_refusal(one.scope, error))
    return found


def unregister(api: HooksApi, destination: str) -> list[RegisteredHook]:
    """Delete the account's hooks at a destination, with the one for delivery exceptions beside it.

    Returns:
        Those that there were.
    """
    places = {destination, _exceptions(destination)}
    gone = [hook for hook in api.hooks() if hook.destination in places]
    for hook in gone:
        api.delete(hook.id)
    return gone


def _exceptions(destination: str) -> str:
    return destination.rstrip("/") + EXCEPTIONS_SUFFIX


def _refusal(scope: str, error: ApiError) -> str:
    hint = (
        f" An account may have only one hook of this scope. If `{webhooks('list')}` shows"
        f" it at an old destination: `{webhooks('unregister', 'OLD')}`."
        if scope == DELIVERY_EXCEPTION
        else " At most ten hooks per scope are allowed: delete those of an old destination by "
        f"`{webhooks('unregister', 'OLD')}`."
    )
    return f"{scope}: {error}{hint}"


def _with(standing: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a hook with ours; a name counts in whatever letters it stands there."""
    ours = {name.lower() for name in headers}
    others = {name: value for name, value in standing.items() if name.lower() not in ours}
    return {**others, **headers}


def _carries(hook: RegisteredHook, headers: Mapping[str, str]) -> bool:
    theirs = {name.lower(): value for name, value in hook.headers.items()}
    return all(theirs.get(name.lower()) == value for name, value in headers.items())
