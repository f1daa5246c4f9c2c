"""The FreshBooks API: OAuth, clients, items, taxes, invoices, payments, credit notes."""
