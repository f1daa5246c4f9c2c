"""Of what a killed run wrote, and a person changed before the next one."""

from __future__ import annotations

from mutate.lines.mutation import FRESHBOOKS, Mutation
from mutate.lines.tests import KILLED

MUTATIONS = (
    Mutation(
        "what a person made of an invoice since it was asked for is theirs",
        "P11",
        f"{FRESHBOOKS}/posting/apply/as_asked.py",
        "    if is_same and wire.agree(wire.from_body(body), wire.standing(standing)):\n",
        "    if True:\n",
        (
            f"{KILLED}::test_a_draft_that_a_person_edited_and_sent_is_left",
            f"{KILLED}::test_a_correction_that_a_person_changed_and_sent_is_left",
        ),
    ),
    Mutation(
        "a number that a person gave an invoice since its lines were asked for is theirs",
        "P11",
        f"{FRESHBOOKS}/posting/apply/as_asked.py",
        "    if is_same and wire.agree",
        "    if wire.agree",
        (f"{KILLED}::test_lines_of_another_number_behind_a_rewriting_are_left",),
    ),
    Mutation(
        "an address that was written says nothing of the lines beside it",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "return [] if known is None else [written(known, record, body, None)]",
        "return [written(self._invoice_link(intent, record), record, body, None)]",
        (f"{KILLED}::test_an_edit_behind_an_address_that_was_written_is_left",),
    ),
    Mutation(
        "hearing of the lock says nothing of the invoice",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "                # credit the next look shows that it is gone.\n"
        "                return []\n",
        "                # credit the next look shows that it is gone.\n"
        "                knock = kind is StepKind.UPDATE_INVOICE\n"
        "                return [self._invoice_link(intent, record)] if knock else []\n",
        (f"{KILLED}::test_an_edit_before_the_lock_is_heard_of_is_left",),
    ),
    Mutation(
        "the sending of a correction says nothing of its lines",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "case StepKind.UPDATE_CORRECTION | StepKind.UPDATE_EXPENSE:",
        "case StepKind.UPDATE_CORRECTION | StepKind.SEND_CORRECTION | StepKind.UPDATE_EXPENSE:",
        (f"{KILLED}::test_a_correction_that_a_person_changed_and_sent_is_left",),
    ),
    Mutation(
        "the head that was asked for is ours, and not what a person made of it",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "written(link, with_head(invoice, head), head, None)",
        "written(link, invoice, head, None)",
        (f"{KILLED}::test_a_draft_that_a_person_made_out_to_another_address_keeps_it",),
    ),
    Mutation(
        "an invoice or a correction that a person deleted behind a kill is not made again",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "return found or self._deleted(intent, mark, deleted)",
        "return found",
        (
            f"{KILLED}::test_an_invoice_that_a_person_deleted_is_not_made_again",
            f"{KILLED}::test_a_correction_that_a_person_deleted_is_not_made_again",
        ),
    ),
    Mutation(
        "a payment that a person deleted behind a kill is not recorded again",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "        payment = payment or self._deleted("
        "intent, mark, payments.noting(str(mark), deleted=True))\n",
        "",
        (f"{KILLED}::test_a_payment_that_a_person_deleted_is_not_recorded_again",),
    ),
    Mutation(
        "a credit note that a person deleted behind a kill is not given again",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "        note = note or self._deleted(intent, mark, notes.naming("
        "STEM, day, deleted=True))\n",
        "",
        (f"{KILLED}::test_a_credit_note_that_a_person_deleted_is_not_given_again",),
    ),
    Mutation(
        "an expense that a person deleted behind a kill is not booked again",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "        expense = expense or self._deleted(\n"
        "            intent, mark, expenses.naming(STEM, day - MONTH, deleted=True)\n"
        "        )\n",
        "",
        (f"{KILLED}::test_an_expense_that_a_person_deleted_is_not_booked_again",),
    ),
    Mutation(
        "what we deleted ourselves is not taken for what a person deleted",
        "P1",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "            if row.id not in self._known(intent):\n",
        "            if True:\n",
        (f"{KILLED}::test_a_payment_that_we_deleted_ourselves_is_recorded_again",),
    ),
    Mutation(
        "a payment just made is remembered as asked for",
        "P11",
        f"{FRESHBOOKS}/posting/apply/as_asked.py",
        "    asked = replace(dated(link, body), extra=extra)\n",
        "    asked = replace(link, extra=extra)\n",
        (f"{KILLED}::test_a_payment_that_a_person_lowered_is_left",),
    ),
    Mutation(
        "a credit note just made is remembered as asked for",
        "P11",
        f"{FRESHBOOKS}/posting/apply/as_asked.py",
        "standing.amount if standing.amount in totals else min(totals)",
        "standing.amount",
        (f"{KILLED}::test_a_credit_note_that_a_person_changed_is_left",),
    ),
    Mutation(
        "an expense just made is remembered as asked for",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "return expense, [as_asked.dated(link, body)]",
        "return expense, [link]",
        (f"{KILLED}::test_an_expense_that_a_person_changed_is_left",),
    ),
    Mutation(
        "the wording of a credit note survives a kill behind its making",
        "P1",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "replace(as_asked.credit_note(link, note, body), extra=_expression(intent))",
        "as_asked.credit_note(link, note, body)",
        (f"{KILLED}::test_the_next_wording_of_a_credit_note_is_another_number",),
    ),
    Mutation(
        "the wording of a credit note survives a kill behind its deletion",
        "P1",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "replace(link, deleted=True, extra=_expression(intent))",
        "replace(link, deleted=True)",
        (f"{KILLED}::test_the_next_wording_of_a_credit_note_is_another_number",),
    ),
    Mutation(
        "a raise that was capped is known though the answer was lost",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "        capped = kind is StepKind.UPDATE_PAYMENT and self._is_capped(intent, record)\n",
        "        capped = False\n",
        (f"{KILLED}::test_a_raise_that_freshbooks_capped_is_taken_back",),
    ),
    Mutation(
        "a credit that came of a person's edit is not taken for one of a raise",
        "P11",
        f"{FRESHBOOKS}/posting/apply/effects.py",
        "is_new and before <= payment.amount\n",
        "is_new\n",
        (f"{KILLED}::test_a_credit_of_a_person_s_edit_is_left_though_a_lowering_was_killed",),
    ),
    Mutation(
        "a deletion that was not made is not taken back once its order is booked",
        "P11",
        f"{FRESHBOOKS}/posting/apply/completion.py",
        "        ledger.links.put_soon(left_to_stand(link))\n",
        "        pass\n",
        (f"{KILLED}::test_a_deletion_that_a_kill_kept_from_being_made_is_not_taken_back_later",),
    ),
    Mutation(
        "what came in by hand is known behind a payment that was raised",
        "P2",
        f"{FRESHBOOKS}/posting/facts.py",
        "    if known is not None and booked is not None and booked > known:\n",
        "    if False:\n",
        (f"{KILLED}::test_what_came_in_by_hand_is_known_though_the_run_was_killed_behind_it",),
    ),
    Mutation(
        "an expense that a person changed is not set back",
        "P11",
        f"{FRESHBOOKS}/posting/plan/corrections.py",
        "    if not as_left and not progress.overwrite:\n",
        "    if False:\n",
        (f"{KILLED}::test_an_expense_that_a_person_changed_later_is_left",),
    ),
    Mutation(
        "what a person added to a client since it was made is theirs",
        "P11",
        f"{FRESHBOOKS}/posting/apply/evidence.py",
        "ownership.made_of(ours[0], body)",
        "ownership.made(ours[0])",
        (f"{KILLED}::test_what_a_person_added_to_a_client_that_was_just_made_stays",),
    ),
)
