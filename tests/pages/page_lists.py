"""What the tests of the pages take for granted, as short lists.

A command that a page shows is run as it stands there, or is in one of these lists with its reason.
"""

from __future__ import annotations

from connector_sandbox import constants
from terminal import CONSENT

SECTION = "Set it up for your store"
"""README's part that leads from a clone to first invoices; they have a test of their own."""

ANSWERS = {
    "BigCommerce store hash": constants.STORE_HASH,
    "access token": constants.BIGCOMMERCE_ACCESS_TOKEN,
    "FreshBooks client id": constants.FRESHBOOKS_CLIENT_ID,
    "FreshBooks client secret": constants.FRESHBOOKS_CLIENT_SECRET,
    "Redirect URI": "",
    "First day whose orders are invoiced": "2026-01-01",
    "Paste the whole address here": CONSENT,
    "name of the business": "Sandbox Books",
}
"""What a person types where a program asks, by words of the question."""

PACKAGE_PAGES = ("tap-bigcommerce-orders/", "target-freshbooks/", "plugins/")
"""Pages of packages, whose reader has the programs on PATH, as `pip install` puts them."""

ORDER = "@order"
HOST = "@host"
SERVER = "@server"
RESTORED = "@restored"
FILLED = {
    "ORDER": ORDER,
    "127.0.0.1:8787": HOST,
    "WEBHOOKS_STORE_HASH=…": f"WEBHOOKS_STORE_HASH={constants.STORE_HASH}",
    "WEBHOOKS_CLIENT_SECRET=…": f"WEBHOOKS_CLIENT_SECRET={constants.BIGCOMMERCE_CLIENT_SECRET}",
    "WEBHOOKS_ACCESS_TOKEN=…": f"WEBHOOKS_ACCESS_TOKEN={constants.BIGCOMMERCE_ACCESS_TOKEN}",
    "send-test 250": f"send-test {ORDER}",
    "postgresql+psycopg://user:password@host/ledger": SERVER,
    "postgresql://user:password@host/ledger": SERVER,
    "postgresql://user:password@host/restored": RESTORED,
}
"""What stands for a reader's own, as whole words: a posted order, the sandbox's port, a server and
another database of it."""

SERVICES = {
    "meltano invoke webhooks:serve": "Listening on",
    "sandbox up --port 0": '"url"',
}
"""Programs that go on until they are ended, and what they say when they are ready."""

REFUSED = {
    ".venv/bin/meltano invoke target-freshbooks:probe --full": "holds",
    ".venv/bin/meltano invoke target-freshbooks:notify --test": "notify_urls is not set",
}
"""Commands that end with 1 here, as the page says of such a place, and words of the reason."""

ELSEWHERE = {
    "sandbox up": "as the next line with its port; here the usual one may be taken",
    ".venv/bin/meltano invoke airflow standalone": "serves until it is ended",
    ".venv/bin/meltano invoke airflow:migrate": "test_e2e_airflow.py: takes minutes",
    ".venv/bin/meltano invoke airflow:test-sync": "test_e2e_airflow.py: takes minutes",
    "python dags/orders_into_freshbooks_stores.py stores.yml > pools.json": (
        "test_airflow_stores.py runs it on the page's list"
    ),
    "airflow pools import pools.json": "test_sweep_airflow.py: takes minutes",
    ".venv/bin/meltano state get prod:tap-bigcommerce-orders-to-target-freshbooks"
    " > sync.json": "a project with a bookmark of `prod`",
    ".venv/bin/meltano state get prod:tap-bigcommerce-orders--deep-to-target-freshbooks"
    " > deep.json": "the same",
    ".venv/bin/meltano state set --force --input-file sync.json"
    " prod:tap-bigcommerce-orders-to-target-freshbooks:bigcommerce": "the same",
    ".venv/bin/meltano state set --force --input-file deep.json"
    " prod:tap-bigcommerce-orders--deep-to-target-freshbooks:bigcommerce": "the same",
    ".venv/bin/meltano state clear --force"
    " prod:tap-bigcommerce-orders-to-target-freshbooks:north": "the same",
    **dict.fromkeys(
        (
            ".venv/bin/meltano run sync-outlet",
            ".venv/bin/meltano run deep-outlet",
            ".venv/bin/meltano invoke target-freshbooks--outlet:status",
            ".venv/bin/meltano invoke target-freshbooks--outlet:notify",
            ".venv/bin/meltano invoke target-freshbooks--outlet:doctor",
        ),
        "test_e2e_stores.py: two stores",
    ),
    "PYTHONPATH=tools .venv/bin/python -m bench quota growth": "takes minutes",
    "PYTHONPATH=tools .venv/bin/python -m bench --quick": "test_bench.py: takes a minute",
    "python plugins/webhooks/bench/load.py --seconds 60": "takes a minute, and all of the machine",
}
"""Commands that are not run here, and why."""

ELSEWHERE_FIRST = {
    "docker": "test_container.py: what the containers start, without an engine",
    "make": "`make docs-check` looks whether there is such a command",
    "pip": "`make build-check` installs each package by itself",
    "pytest": "the suites themselves; its folder is there",
}
"""The same of all commands that begin with a word."""
