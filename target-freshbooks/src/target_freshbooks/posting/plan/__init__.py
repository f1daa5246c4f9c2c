"""Functional core: from what should be, what is and what is known, the next step. No I/O."""
