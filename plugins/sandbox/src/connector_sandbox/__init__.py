"""BigCommerce and FreshBooks on one local port, traps included, for trying and testing."""
