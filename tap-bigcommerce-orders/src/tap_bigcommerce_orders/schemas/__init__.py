"""The records' schemas, one module per domain of the API."""
