"""Encrypted store for API credentials, shared safely by several processes and machines."""
