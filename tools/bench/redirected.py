"""Runs another program with BigCommerce's address replaced: URL, MODULE:FUNCTION and its words.

It is run by that program's own Python, so it imports what every such program has, and no more.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

ADDRESS = "https://api.bigcommerce.com"

url, entry, *words = sys.argv[1:]
send = HTTPAdapter.send


def send_to_sandbox(
    adapter: HTTPAdapter,
    request: PreparedRequest,
    *args: Any,  # noqa: ANN401 - whatever it takes
    **kwargs: Any,  # noqa: ANN401 - as above
) -> Response:
    """Send a request where the sandbox is."""
    request.url = str(request.url).replace(ADDRESS, url, 1)
    return send(adapter, request, *args, **kwargs)


module, _, function = entry.partition(":")
sys.argv = [module, *words]
with patch.object(HTTPAdapter, "send", send_to_sandbox):
    sys.exit(getattr(importlib.import_module(module), function)())
