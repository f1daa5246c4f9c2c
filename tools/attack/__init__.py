"""Attacks on all programs from outside, as real processes, with figures; `make attack`.

What an attacker has here: the receiver's port, the answers of a server that the programs ask, the
address of a login, and the text that shoppers write into orders.
"""
