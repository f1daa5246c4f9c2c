"""Figures of speed: requests per order, use of the quota, orders a second, the ledger, memory.

Times depend on the machine and on what else it does, so what is compared is always measured in
one run, in turns, and shown as a ratio. `docs/performance.md` says how to read the figures.
"""
