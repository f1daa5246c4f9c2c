"""BigCommerce's Management API for one store, over the shop model of `connector_sandbox.seed`."""
