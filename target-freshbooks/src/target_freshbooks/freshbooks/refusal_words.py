"""Refusal words: the sentences by which FreshBooks' refusals are told apart, matched loosely.

They are those of public integrations and of its support pages (Financial Lock, client limits of
plans); none is documented.
"""

import re


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


BUSY = _any_of(
    r"same time",
    r"concurren",
    r"simultaneous",
    r"being (changed|modified|updated|edited|processed)",
    r"another (request|process|transaction|session|user)",
    r"conflicts? with another (change|update|edit|write|modification|operation)",
)
BUSY_OR_TAKEN = _any_of(r"conflicts? with another")
EXISTS = _any_of(
    r"already (exists?|in use|used|taken|been (used|taken))",
    r"\b(is|are) (taken|in use)\b",
    r"exists already",
    r"duplicate",
    r"(must be|not) unique",
)
LONG = _any_of(
    r"too long",
    r"longer than",
    r"max(imum)?[ _]length",
    r"length limit",
    r"(limit|max|most|more than|exceed|fewer|less than|up to).{0,30}\d.{0,30}\bcharacters?\b",
    r"\bcharacters? (limit|maximum)",
)
LENGTH = _any_of(
    r"\b(\d{1,9})\b(?=[\w -]*\bcharacters?\b)",
    r"(?:length|longer than|than|most|to)\D{0,12}\b(\d{1,9})\b",
)
LOCK = _any_of(
    r"(?<!account is )(?<!account was )(?<!account has been )\block(ed)?\b",
    r"(closed|accounting) period",
    r"period (is|was|has been) closed",
    r"books (are|have been|were) closed",
)
CLIENT_LIMIT = _any_of(
    r"(maximum|limit)( number)? (of|on) (\w+ )?clients",
    r"clients? limit",
    r"too many clients",
    r"more clients",
    r"upgrade (your|the) (plan|account|subscription)",
)
PLAN = _any_of(r"\blimit", r"\bplan\b", r"upgrade", r"maximum", r"subscription")
NO_RIGHT = _any_of(r"permission", r"scope", r"not (allowed|authori[sz]ed|permitted)", r"forbidden")

NAMED = (
    ("invoice_number", _any_of(r"invoice[ _]?(number|#|no\b)")),
    ("credit_number", _any_of(r"credit( note)?[ _]?(number|#|no\b)")),
    ("username", _any_of(r"user[ _-]?name")),
    ("sku", _any_of(r"\bsku\b")),
    ("email", _any_of(r"\be-?mail")),
    ("name", _any_of(r"\bname\b")),
)
"""The fields that must be unique, as they are called in a sentence."""
