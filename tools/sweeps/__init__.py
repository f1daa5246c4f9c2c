"""Proofs with real processes: runs killed at every boundary, faults, and the books compared."""
