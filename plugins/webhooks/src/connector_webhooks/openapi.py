"""The receiver's own OpenAPI description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector_webhooks import __version__

if TYPE_CHECKING:
    from connector_webhooks.settings import Settings


def description(settings: Settings) -> dict[str, Any]:
    """Return the document served at ``/openapi.json``."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "BigCommerce webhook receiver",
            "version": __version__,
            "description": "Takes signed hooks into a durable inbox.",
        },
        "paths": {
            settings.hook_path: {"post": _hook("takeHook", "Take a hook", settings)},
            settings.exceptions_path: {
                "post": _hook("takeDeliveryException", "Take a delivery exception", settings)
            },
            "/healthz": {"get": _probe("health", "The process answers", may_fail=False)},
            "/readyz": {"get": _probe("ready", "The inbox can be written", may_fail=True)},
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Figures for Prometheus",
                    "responses": {
                        "200": {"description": "Figures", "content": {"text/plain": _TEXT}},
                        "503": _status("The inbox cannot be read"),
                    },
                }
            },
            "/openapi.json": {
                "get": {
                    "operationId": "openapi",
                    "summary": "This description",
                    "responses": {
                        "200": {
                            "description": "This description",
                            "content": {"application/json": {"schema": {"type": "object"}}},
                        }
                    },
                }
            },
        },
    }


_TEXT: dict[str, Any] = {"schema": {"type": "string"}}


def _hook(operation: str, summary: str, settings: Settings) -> dict[str, Any]:
    headers = ["webhook-id", "webhook-timestamp", "webhook-signature"]
    if settings.shared_header_name:
        headers.append(settings.shared_header_name)
    return {
        "operationId": operation,
        "summary": summary,
        # Optional here although a hook without them is refused: a missing signature is a matter
        # of trust (401), not of form (400).
        "parameters": [
            {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
            for name in headers
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "responses": {
            "200": {"description": "Committed, known already, or nothing to do"},
            "400": {"description": "The sender hung up"},
            "401": {"description": "No valid signature, or no shared header"},
            "408": {"description": "The body took too long"},
            "413": {"description": f"More than {settings.max_body_bytes} bytes"},
            "503": {"description": "Not stored: send it again"},
        },
    }


def _probe(operation: str, summary: str, *, may_fail: bool) -> dict[str, Any]:
    responses = {"200": _status(summary)}
    if may_fail:
        responses["503"] = _status("It is not so")
    return {"operationId": operation, "summary": summary, "responses": responses}


def _status(words: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string"}},
    }
    return {"description": words, "content": {"application/json": {"schema": schema}}}
