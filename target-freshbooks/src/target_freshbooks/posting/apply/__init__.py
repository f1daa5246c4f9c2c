"""Carrying steps out: writes, their unknown outcomes, retries, refusals."""
