"""From what the books should hold to what FreshBooks holds: observe, plan one step, apply, repeat.

`service` takes the shop's records in and decides when state may leave; `poster` brings one order
about; `plan` is pure and says the next step; `writer` is the only place that writes to FreshBooks,
each write behind an intent; `resolve` looks before anything is written again.
"""
