"""What can go wrong with the ledger, in sentences an operator can act on."""


class LedgerError(Exception):
    """The ledger cannot be used as asked; the message says what to do next."""


class LedgerUnavailable(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """The ledger's database did not answer, is locked, full, or not to be opened."""


class LedgerTooNew(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """The ledger was written by a later version of target-freshbooks than this one."""


class IntentNotOpen(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """An intent was to be closed that is closed already, or never was."""


class AnotherStore(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """An order of another store than the one its source is bound to."""


class AnotherAccount(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """The FreshBooks account is not the one that the ledger's ids are of."""


class LockHeld(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """Another run holds the account."""

    def __init__(self, account: str, holder: str, *, waited: float) -> None:
        super().__init__(
            f"Another run works on FreshBooks account {account}: {holder}. Waited {waited:.0f} s"
            " for it. Nothing was written; run again when it has ended. If it is frozen, end it:"
            " its place is free at once."
        )


class LockLost(LedgerError):  # noqa: N818 - it names the situation, as the operator sees it
    """This run no longer holds the account, so it must not write to FreshBooks any more."""
