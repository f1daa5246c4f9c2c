"""The probe: what the FreshBooks account at hand does where its makers do not say.

A `Check` is one open point: what we assume of it, how it is found out, and what each answer
changes. All checks stand in `checks`, in the order in which they are made, for they share a few
records of the probe's own (`bench`): one client, one item, one Draft. Only the checks of the full
depth send an invoice and pay it, and only on an account that holds nothing else (`alone`). Whatever
is made is committed to the ledger first, and is deleted at the end or by `cleaning`.
"""
