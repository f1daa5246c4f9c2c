"""The streams, one module per domain of the API."""
