"""Reads the catalog a run is given, and says if it is none."""

from __future__ import annotations

import io
import json
from typing import IO

from singer_sdk.singerlib import Catalog

from tap_bigcommerce_orders.errors import CatalogUnusable


def checked_catalog(file: IO[str]) -> IO[str]:
    """Return the catalog file's content, to be read anew, if it is a Singer catalog.

    Raises:
        CatalogUnusable: It is none.
    """
    try:
        text = file.read()
        catalog = json.loads(text)
        usable = isinstance(catalog["streams"], list) and Catalog.from_dict(catalog) is not None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        usable = False
    if not usable:
        raise CatalogUnusable(
            "The catalog is not a Singer catalog in JSON. Have --discover make a new one, or leave "
            "--catalog out."
        )
    return io.StringIO(text)
