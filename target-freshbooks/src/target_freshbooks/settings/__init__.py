"""The target's settings: the table that declares them, and their typed form."""

from .table import FORM, schema
from .typed import Settings, read_settings

__all__ = ["FORM", "Settings", "read_settings", "schema"]
