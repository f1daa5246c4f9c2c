"""Fuzzing of whatever reads the text of others: shop, FreshBooks, senders of hooks, operators."""
