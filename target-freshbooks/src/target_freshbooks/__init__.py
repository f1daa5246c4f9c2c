"""Singer target: BigCommerce orders become FreshBooks invoices, payments and refunds."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("target-freshbooks")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
