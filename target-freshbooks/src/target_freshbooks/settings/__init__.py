"""The target's settings: the table that declares them, and their typed form."""

from .monitoring import Monitoring, ordinal, read_monitoring, scheme
from .table import FORM, schema
from .typed import Settings, plan_file_of, read_settings

__all__ = [
    "FORM",
    "Monitoring",
    "Settings",
    "ordinal",
    "plan_file_of",
    "read_monitoring",
    "read_settings",
    "schema",
    "scheme",
]
