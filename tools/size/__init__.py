"""How large the code is, by package."""
