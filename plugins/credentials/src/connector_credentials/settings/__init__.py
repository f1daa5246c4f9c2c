"""Settings of all programs: read strictly, or the run stops with a sentence that names the one."""

from .form import Form
from .values import SettingError, read_value

__all__ = ["Form", "SettingError", "read_value"]
