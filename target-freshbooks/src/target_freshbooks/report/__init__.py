"""The month-end report: every order of the month beside its invoice, and what does not agree."""

from target_freshbooks.report.writing import write_report

__all__ = ["write_report"]
