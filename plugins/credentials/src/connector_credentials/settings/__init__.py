"""Settings of all programs: read strictly, or the run stops with a sentence that names the one."""

from .form import Form, file_of
from .values import SettingError, read_value

__all__ = ["Form", "SettingError", "file_of", "read_value"]
