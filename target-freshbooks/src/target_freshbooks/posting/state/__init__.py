"""What the ledger knows of an order's records in FreshBooks."""
