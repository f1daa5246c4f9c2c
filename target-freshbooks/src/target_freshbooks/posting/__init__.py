"""From what the books should hold to what FreshBooks holds: observe, plan one step, apply, repeat.

`service` takes the shop's records in and decides when state may leave; `order_work` has the orders
worked off, and `reconciler` brings one about. `state` is what the ledger knows, `observe` what
FreshBooks holds; `plan` is pure and says the next step; `apply` carries it out, its `writer` the
only place that writes to FreshBooks, each write behind an intent; `dryrun` does all of it without
writing. `drift` compares both sides.
"""
