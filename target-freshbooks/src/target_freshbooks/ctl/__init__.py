"""The operator's commands: log in, look, plan, replay, audit, verify, report."""

from target_freshbooks.ctl.cli import main

__all__ = ["main"]
