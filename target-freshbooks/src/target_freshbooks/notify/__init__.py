"""Notifications: people are told of what is parked, waits long or fails, once each.

`alerts` says what stands, from the ledger; `message` puts it into words of our own; `delivery`
hands it to the services, in a process of its own (`courier`); `telling` notes what was delivered,
and `after_run` is what a run does of all that at its end.
"""
