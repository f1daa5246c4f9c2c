"""Standard Webhooks signatures as BigCommerce makes them (webhooks overview, January 2025).

The key is the raw client secret: BigCommerce has receivers give base64(client secret) to the
Standard Webhooks library, which decodes it again.
"""

import base64
import hashlib
import hmac


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` over `id.timestamp.body`, HMAC-SHA256."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
