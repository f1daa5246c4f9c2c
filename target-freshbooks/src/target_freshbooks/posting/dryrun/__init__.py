"""The same without writing: answers are foreseen, the ledger is only read."""
