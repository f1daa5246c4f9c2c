"""``python -m connector_webhooks`` is ``webhooks``."""

import sys

from connector_webhooks.cli import main

sys.exit(main())
