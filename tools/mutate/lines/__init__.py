"""The safety lines, what each is replaced by, and the tests that must go red without it."""

from __future__ import annotations

from mutate.lines import (
    around_it,
    books,
    credentials,
    ctl,
    freshbooks,
    ledger,
    posting,
    posting_apply,
    posting_killed,
    posting_observe,
    posting_plan,
    tap,
    tap_answers,
    target,
    webhooks,
)
from mutate.lines.mutation import Mutation

__all__ = ["MUTATIONS", "Mutation"]

MUTATIONS = (
    *books.MUTATIONS,
    *posting.MUTATIONS,
    *posting_observe.MUTATIONS,
    *posting_plan.MUTATIONS,
    *posting_apply.MUTATIONS,
    *posting_killed.MUTATIONS,
    *ledger.MUTATIONS,
    *freshbooks.MUTATIONS,
    *target.MUTATIONS,
    *ctl.MUTATIONS,
    *tap.MUTATIONS,
    *tap_answers.MUTATIONS,
    *webhooks.MUTATIONS,
    *credentials.MUTATIONS,
    *around_it.MUTATIONS,
)
