"""The credentials and ids that every fresh sandbox starts with. None of them is secret."""

STORE_HASH = "sandbox"
BIGCOMMERCE_ACCESS_TOKEN = "sandbox-bigcommerce-token"  # noqa: S105 - opens nothing but the sandbox
BIGCOMMERCE_CLIENT_ID = "sandbox-bigcommerce-client"
BIGCOMMERCE_CLIENT_SECRET = "sandbox-bigcommerce-client-secret"  # noqa: S105 - as above

FRESHBOOKS_CLIENT_ID = "sandbox-client"
FRESHBOOKS_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - as above
FRESHBOOKS_REDIRECT_URI = "https://localhost/callback"
FRESHBOOKS_ACCOUNT_ID = "SBX001"
FRESHBOOKS_SECOND_ACCOUNT_ID = "SBX002"
FRESHBOOKS_BUSINESS_ID = 439000
FRESHBOOKS_REFRESH_TOKEN = "sandbox-refresh-0"  # noqa: S105 - as above

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8787
DEFAULT_SEED = 2026

BIGCOMMERCE = "bigcommerce"
FRESHBOOKS = "freshbooks"
SIDES = (BIGCOMMERCE, FRESHBOOKS)


def side_of(path: str) -> str | None:
    """Say which API a request path belongs to, or None for the sandbox's own control."""
    if path.startswith("/stores/"):
        return BIGCOMMERCE
    if path.startswith("/_sandbox"):
        return None
    return FRESHBOOKS
