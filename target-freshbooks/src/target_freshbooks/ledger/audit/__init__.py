"""The audit journal: its chain, and what may stand in it."""
