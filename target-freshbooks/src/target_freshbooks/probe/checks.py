"""Checks: all open points, in the order in which they are made."""

from target_freshbooks.probe import arithmetic, lengths, lists, money, parties, reversals
from target_freshbooks.probe.finding import Check

CHECKS: tuple[Check, ...] = (
    *parties.CHECKS,
    *arithmetic.CHECKS,
    *lengths.CHECKS,
    *lists.LOOKS,
    *money.CHECKS,
    *reversals.CHECKS,
    *lists.CLOSING,
)
"""The first of each kind make the client, the item and the Draft; the last delete the Draft."""

SETTLED_BY: dict[str, str] = {switch: check.name for check in CHECKS for switch in check.switches}
"""Each switch of the sandbox that a check settles, with the check's name."""
