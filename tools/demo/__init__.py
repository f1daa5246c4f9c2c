"""The demonstration: a month of orders on the sandbox becomes invoices, with the real programs.

`make demo` runs it. The parts serve the end-to-end tests too: `sandbox` (the two APIs as a
process), `project` (the Meltano project, kept apart from the user's own state), `login` (the OAuth
flow as a person goes through it), `books` (both sides, order by order) and `show` (the screen).
"""
