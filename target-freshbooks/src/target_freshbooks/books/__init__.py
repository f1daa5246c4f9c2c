"""How an order becomes an invoice, its payments and its refunds: pure accounting, no I/O."""
