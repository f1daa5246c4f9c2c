"""The ledger's database: opened, migrated, and its tables."""
