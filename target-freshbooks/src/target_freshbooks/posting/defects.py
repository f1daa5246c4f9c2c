"""How a record we cannot digest, or a mistake of ours, shows itself: as errors of these kinds."""

from __future__ import annotations

DEFECTS = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)
"""What a defect of ours shows itself as; all other kinds of errors have a meaning of their own."""
