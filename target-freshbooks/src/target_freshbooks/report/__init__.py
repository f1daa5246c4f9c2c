"""The month-end report: every order of the month beside its invoice, and what does not agree."""
