"""The safety lines, what each is replaced by, and the tests that must go red without it."""

from __future__ import annotations

from dataclasses import dataclass

FRESHBOOKS = "target-freshbooks/src/target_freshbooks"
TAP = "tap-bigcommerce-orders/src/tap_bigcommerce_orders"
WEBHOOKS = "plugins/webhooks/src/connector_webhooks"
CREDENTIALS = "plugins/credentials/src/connector_credentials"

KILLED_WHILE_LAGGING = (
    "tests/test_sweep_writes.py::test_killed_while_searches_lag_nothing_is_doubled"
)
PROVEN = (
    "tests/test_sweep_writes.py"
    "::test_what_is_sent_comes_to_its_order_s_total_though_freshbooks_rounds_otherwise"
)
STOPPED = (
    "tests/test_sweep_writes.py::test_asked_to_stop_a_run_finishes_its_step_and_its_state_is_true"
)
TAP_FAULTS = "tap-bigcommerce-orders/tests/test_tap_faults.py"
BLAME = "tests/posting/test_posting_blame.py"
BEFORE_WRITES = "target-freshbooks/tests/freshbooks/test_freshbooks_before_writes.py"
ORDERS = "tests/posting/test_posting_orders.py"
APART = "tests/test_sandbox_apart.py"
TARGET_SETTINGS = "target-freshbooks/tests/target/test_target_settings.py"
REFUSALS = "tests/posting/test_posting_refusals.py"
INTERRUPTED = "tests/posting/test_posting_interrupted.py"
SETTLED = "tests/posting/test_posting_settled.py"
DRAFTS = "tests/posting/test_posting_drafts.py"
ACCOUNT = "target-freshbooks/tests/ctl/test_ctl_account.py"
ELSEWHERE = "tests/posting/test_posting_elsewhere.py"
TERMS = "tests/posting/test_posting_terms.py"
HEAD = "tests/posting/test_posting_head.py"
STORES = "tests/posting/test_posting_stores.py"
STORE_IDENTITY = "tap-bigcommerce-orders/tests/test_tap_store_identity.py"

OWNERSHIP = "tests/posting/test_posting_ownership.py"
REFUSED = "tests/posting/test_posting_refused_parties.py"
BY_E_MAIL = "test_a_shopper_with_the_e_mail_of_a_person_s_client_rewrites_nothing_of_it"
OF_GUESTS = "test_a_shopper_with_the_e_mail_of_a_guest_rewrites_nothing_of_the_guest_s_client"
UNANSWERED = "test_of_clients_found_only_what_an_unanswered_write_made_is_ours"
KEPT = "test_a_changed_e_mail_is_kept_and_told_and_the_customer_s_client_is_used"
ABOVE_LIMIT = "test_above_the_plan_s_limit_new_clients_are_parked_and_known_ones_go_on"
CREDIT_TOLD = "test_a_credit_is_told_that_came_of_a_payment_by_hand_while_the_total_fell"

TAKEN_BACK = (
    f"{INTERRUPTED}::test_a_credit_note_of_another_amount_left_by_a_broken_off_run_is_taken_back"
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One safety line taken out.

    Attributes:
        name: What is taken out.
        file: Where it stands.
        old: The text as it is; it stands there exactly once.
        new: What stands there instead.
        tests: Arguments of pytest; at least one of the tests must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "intent before write",
        f"{FRESHBOOKS}/posting/writer.py",
        "        self._lease.check()\n",
        "        self._lease.check()\n        return self._send(kind, remote_id, body)\n",
        ("-m", "sweep", KILLED_WHILE_LAGGING),
    ),
    Mutation(
        "open intents are looked after at the start",
        f"{FRESHBOOKS}/posting/leftovers.py",
        "for intent in self._ledger.open_intents():",
        "for intent in ():",
        ("-m", "sweep", KILLED_WHILE_LAGGING),
    ),
    Mutation(
        "look before a write is repeated",
        f"{FRESHBOOKS}/posting/patience.py",
        "if self._resolver.resolve(intent, since=since, over=unknown.over):",
        "if False:",
        ("tests/test_sweep_faults.py::test_with_faults_on_both_sides_the_books_equal_the_truth",),
    ),
    Mutation(
        "settle time is waited for",
        f"{FRESHBOOKS}/posting/resolve.py",
        "if not waits or self._clock() >= deadline:",
        "if True:",
        ("-m", "sweep", KILLED_WHILE_LAGGING),
    ),
    Mutation(
        "a run without its lease opens no intent",
        f"{FRESHBOOKS}/posting/writer.py",
        "        self._lease.check()\n",
        "",
        (BEFORE_WRITES,),
    ),
    Mutation(
        "the lease is checked directly before a write is sent",
        f"{FRESHBOOKS}/freshbooks/transport.py",
        "            if operation.writes:\n                self.before_write()\n",
        "",
        (BEFORE_WRITES,),
    ),
    Mutation(
        "it is the lease that is checked before a write is sent",
        f"{FRESHBOOKS}/wiring.py",
        "    books.check_before_writes(lease.check)\n",
        "",
        (BEFORE_WRITES,),
    ),
    Mutation(
        "a heartbeat that looks old is watched before its lease is taken over",
        f"{FRESHBOOKS}/ledger/lease.py",
        "            and still > WATCHED_HEARTBEATS * self.heartbeat\n",
        "",
        ("target-freshbooks/tests/ledger/test_ledger_lease.py",),
    ),
    Mutation(
        "a held lease is waited for",
        f"{FRESHBOOKS}/ledger/lease.py",
        "if found is None or watch.has_lapsed(",
        "if True or watch.has_lapsed(",
        (
            "target-freshbooks/tests/ledger/test_ledger_lease.py",
            "tests/test_sweep_writes.py::test_of_two_runs_at_once_one_waits",
        ),
    ),
    Mutation(
        "one worker per order",
        f"{FRESHBOOKS}/posting/service.py",
        "while order_id in self._in_work.values():",
        "while False:",
        ("tests/test_sweep_writes.py::test_an_order_said_three_times_at_once_is_written_once",),
    ),
    Mutation(
        "one worker per client",
        f"{FRESHBOOKS}/posting/making.py",
        "            lock = self._locks[kind, key]\n",
        "            lock = threading.RLock()\n",
        (
            "tests/test_sweep_faults.py::test_an_outage_parks_nobody_and_a_poison_order_stops_nobody",
        ),
    ),
    Mutation(
        "state waits for its orders",
        f"{FRESHBOOKS}/target.py",
        "        if self._run is not None:\n            self._run.service.checkpoint()\n",
        "",
        (STOPPED,),
    ),
    Mutation(
        "a run that is to stop takes no further step",
        f"{FRESHBOOKS}/posting/poster.py",
        "            if self._stop.is_set():\n                raise Interrupted\n",
        "",
        (STOPPED,),
    ),
    Mutation(
        "a failed run drops what is queued",
        f"{FRESHBOOKS}/posting/service.py",
        "                if not future.cancelled()\n",
        "",
        (
            "--timeout=60",
            "tests/test_sweep_faults.py::test_an_outage_parks_nobody_and_a_poison_order_stops_nobody",
        ),
    ),
    Mutation(
        "each audit row follows its predecessor",
        f"{FRESHBOOKS}/ledger/audit.py",
        "if row.prev_hash != prev_hash:",
        "if False:",
        ("target-freshbooks/tests/ledger/test_ledger_audit.py",),
    ),
    Mutation(
        "an audit row's hash covers its content",
        f"{FRESHBOOKS}/ledger/audit.py",
        'return bool(row["hash"] != _seal(row))',
        "return False",
        ("target-freshbooks/tests/ledger/test_ledger_audit.py",),
    ),
    Mutation(
        "an invoice edited by hand is noticed",
        f"{FRESHBOOKS}/posting/case.py",
        "return left is not None and left != fingerprint(invoice)",
        "return False",
        (ORDERS,),
    ),
    Mutation(
        "a number without our marker is somebody else's",
        f"{FRESHBOOKS}/posting/plan.py",
        "if not is_marked(invoice, wanted.marker):",
        "if False:",
        (ORDERS,),
    ),
    Mutation(
        "only a proven total is sent",
        f"{FRESHBOOKS}/posting/proof.py",
        "agrees = invoice.amount == desired.invoice.total",
        "agrees = True",
        (PROVEN,),
    ),
    Mutation(
        "no payment above what is outstanding",
        f"{FRESHBOOKS}/posting/payments.py",
        "if invoice.outstanding < wanted:",
        "if False:",
        (ORDERS,),
    ),
    Mutation(
        "payments are lowered before a refund's lines",
        f"{FRESHBOOKS}/posting/settlement.py",
        "lower_payment(case, actual, coming.ahead, coming.entry.refund_id, progress)",
        "lower_payment(case, actual, case.payments_at(None), None, progress)",
        (ORDERS,),
    ),
    Mutation(
        "a credit note that a search does not show is read by its id",
        f"{FRESHBOOKS}/posting/observe.py",
        "for remote_id in known - set(found):",
        "for remote_id in ():",
        (
            "tests/test_sweep_writes.py::test_a_credit_note_that_searches_do_not_show_is_not_given_twice",
        ),
    ),
    Mutation(
        "rows of a search are checked",
        f"{FRESHBOOKS}/freshbooks/client.py",
        "and (ours is None or ours(row))",
        "and True",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_client.py",),
    ),
    Mutation(
        "tokens are stored before they are used",
        f"{FRESHBOOKS}/freshbooks/tokens.py",
        "            entry.write(renewed)\n",
        "            pass\n",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_tokens.py",),
    ),
    Mutation(
        "the token is read again under the lock",
        f"{FRESHBOOKS}/freshbooks/tokens.py",
        "if token and token != rejected and (rejected or self._usable(document)):",
        "if False:",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_tokens.py",),
    ),
    Mutation(
        "a write that keeps failing is given up",
        f"{FRESHBOOKS}/posting/patience.py",
        "        if trial.tries >= self._most_tries or spent >= self._limit:\n",
        "        if False:\n",
        (
            "--timeout=90",
            "tests/test_sweep_faults.py::test_an_outage_parks_nobody_and_a_poison_order_stops_nobody",
        ),
    ),
    Mutation(
        "an outage parks nobody",
        f"{FRESHBOOKS}/posting/breaker.py",
        "        if unexplained and not alone:\n",
        "        if False:\n",
        (
            "-m",
            "sweep",
            "tests/test_sweep_faults.py::test_an_outage_that_only_two_orders_met_parks_neither",
        ),
    ),
    Mutation(
        "who was given up in an outage gets another chance",
        f"{FRESHBOOKS}/posting/breaker.py",
        "        if not accused:\n            return []\n",
        "        if True:\n            return accused\n",
        (f"{INTERRUPTED}::test_an_order_whose_errors_have_passed_by_the_end_is_posted",),
    ),
    Mutation(
        "an outage of one kind of write parks nobody",
        f"{FRESHBOOKS}/posting/breaker.py",
        "        if any(number >= OUTAGE for number in same.values()):\n",
        "        if False:\n",
        (f"{INTERRUPTED}::test_an_outage_of_one_kind_of_write_parks_nobody",),
    ),
    Mutation(
        "an order that cannot be read holds nobody up",
        f"{FRESHBOOKS}/posting/service.py",
        "        except (GivenUp, Failing) as failure:\n",
        "        except GivenUp as failure:\n",
        (f"{INTERRUPTED}::test_an_order_whose_invoice_cannot_be_read_holds_nobody_up",),
    ),
    Mutation(
        "an order is open while it is written to",
        f"{FRESHBOOKS}/ledger/ledger.py",
        "                orders.reopen(connection, self.source, order_id)\n",
        "                pass\n",
        (
            f"{INTERRUPTED}::test_a_refund_that_broke_off_and_was_declined_leaves_the_books_as_before",
        ),
    ),
    Mutation(
        "the settle time begins when the killed run's lease is taken",
        f"{FRESHBOOKS}/posting/leftovers.py",
        "                found = self._look(intent, since)\n",
        "                found = self._look(intent, intent.opened_at)\n",
        (
            f"{INTERRUPTED}::test_a_write_that_left_late_and_whose_answer_was_lost_is_not_made_twice",
        ),
    ),
    Mutation(
        "an edited order is reworded until its total is proven",
        f"{FRESHBOOKS}/posting/plan.py",
        "    return overwritten or progress.expression >= 0 or interrupted\n",
        "    return overwritten\n",
        (
            f"{INTERRUPTED}::test_an_edited_order_that_needs_a_rounding_line_is_not_taken_for_an_edited_invoice",
        ),
    ),
    Mutation(
        "a refund that cannot be written is not left half-way",
        f"{FRESHBOOKS}/posting/poster.py",
        "        if step.refund_id is None or step.kind not in REFUND_STEPS or"
        " at.given_up is not None:\n",
        "        if True:\n",
        (f"{INTERRUPTED}::test_a_refund_whose_lines_fail_leaves_the_payment_as_it_was",),
    ),
    Mutation(
        "another shop's invoice is not ours",
        f"{FRESHBOOKS}/posting/poster.py",
        "            and self._ledger.is_linked_elsewhere(",
        "            and not self._ledger.is_linked_elsewhere(",
        (f"{INTERRUPTED}::test_another_shop_s_order_of_the_same_number_touches_nothing",),
    ),
    Mutation(
        "a missing account is told from a missing record",
        f"{FRESHBOOKS}/freshbooks/client.py",
        "            self._page(kind, (), 1)\n            raise\n",
        "            raise\n",
        (f"{INTERRUPTED}::test_an_account_that_is_not_found_any_more_parks_nobody",),
    ),
    Mutation(
        "a cancelled order's invoice that was edited by hand is kept",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "            if edited and not overwrite:\n",
        "            if False:\n",
        (f"{INTERRUPTED}::test_a_cancelled_order_s_invoice_that_was_edited_by_hand_is_kept",),
    ),
    Mutation(
        "an order that is said again keeps its taxes",
        f"{FRESHBOOKS}/ledger/inbox.py",
        "        if not texts and order_id in again:\n            continue\n",
        "",
        (f"{INTERRUPTED}::test_an_order_that_is_said_again_without_its_taxes_keeps_them",),
    ),
    Mutation(
        "an older version does not take the place of a newer one",
        f"{FRESHBOOKS}/ledger/inbox.py",
        "    taken, outdated = versions.latest(given, before)\n",
        "    taken, outdated = given, frozenset[int]()\n",
        ("tests/posting/test_posting_versions.py",),
    ),
    Mutation(
        "a version's date outlives its body",
        f"{FRESHBOOKS}/ledger/versions.py",
        "known.modified or modified(known.body())",
        "modified(known.body())",
        ("target-freshbooks/tests/ledger/test_ledger_versions.py",),
    ),
    Mutation(
        "a dry run keeps what it was told to itself",
        f"{FRESHBOOKS}/wiring.py",
        "    if settings.dry_run:\n        ledger = Rehearsal.begin(ledger)\n",
        "",
        ("tests/posting/test_posting_versions.py",),
    ),
    Mutation(
        "parts of an order that broke off are not booked",
        f"{FRESHBOOKS}/posting/service.py",
        "            self._children.clear()\n",
        "            pass\n",
        ("tests/test_sweep_writes.py::test_parts_without_their_order_are_not_booked",),
    ),
    Mutation(
        "what another order left without an answer is looked for first",
        f"{FRESHBOOKS}/posting/making.py",
        '            if intent.kind == kind.value and same(intent.payload["body"]):\n',
        "            if False:\n",
        (f"{INTERRUPTED}::test_what_another_order_left_without_an_answer_is_not_made_again",),
    ),
    Mutation(
        "one worker per customer",
        f"{FRESHBOOKS}/posting/clients.py",
        '        with (\n            self._making.held("client", draft.key),\n'
        '            self._making.held("client", _email_key(draft)),\n        ):\n'
        "            known",
        '        with self._making.held("client", _email_key(draft)):\n            known',
        (f"{INTERRUPTED}::test_a_customer_of_several_e_mails_is_one_client",),
    ),
    Mutation(
        "an invoice is adopted with all that belongs to it",
        f"{FRESHBOOKS}/ledger/ledger.py",
        'found, self._clock())\n            self._append(connection, "adopted"',
        "found, self._clock())\n        with self._database.write() as connection:\n"
        '            self._append(connection, "adopted"',
        ("target-freshbooks/tests/ledger/test_ledger_orders.py",),
    ),
    Mutation(
        "a deleted payment that is shown no more counts as deleted",
        f"{FRESHBOOKS}/posting/resolve.py",
        "if intent.order_id is None or (payment is not None and payment.vis_state != DELETED):",
        "if intent.order_id is None or payment is None or payment.vis_state != DELETED:",
        (f"{INTERRUPTED}::test_a_deleted_payment_that_freshbooks_shows_no_more_counts_as_deleted",),
    ),
    Mutation(
        "a product called like a refund is no refund",
        f"{FRESHBOOKS}/posting/lines.py",
        "        name = text.other_than_refund(name)\n",
        "        pass\n",
        (f"{INTERRUPTED}::test_a_product_called_like_a_refund_is_no_refund",),
    ),
    Mutation(
        "FreshBooks' words on a customer stay out of the log",
        f"{FRESHBOOKS}/posting/catalogue.py",
        'refused.field or "unknown"',
        "refused.words",
        (f"{INTERRUPTED}::test_freshbooks_words_on_a_customer_are_not_logged",),
    ),
    Mutation(
        "a credit note of another amount is taken back",
        f"{FRESHBOOKS}/posting/settlement.py",
        "case.memory.credit_amounts.get(refund_id) == found.amount",
        "False",
        (TAKEN_BACK,),
    ),
    Mutation(
        "a credit note that was deleted by hand is not given again",
        f"{FRESHBOOKS}/posting/settlement.py",
        "            if refund_id in case.memory.credit_notes and not progress.overwrite:\n",
        "            if False:\n",
        (f"{INTERRUPTED}::test_a_credit_note_that_was_deleted_by_hand_is_not_given_again",),
    ),
    Mutation(
        "a defect parks its order alone",
        f"{FRESHBOOKS}/posting/service.py",
        "        except DEFECTS as error:",
        "        except KeyboardInterrupt as error:",
        (f"{INTERRUPTED}::test_a_defect_at_one_order_parks_it_and_holds_nobody_up",),
    ),
    Mutation(
        "a refusal parks its order alone",
        f"{FRESHBOOKS}/posting/service.py",
        '            return refused_verdict(refused, "posting", 0)\n',
        "            raise\n",
        (f"{INTERRUPTED}::test_a_client_that_cannot_be_made_again_parks_its_order_alone",),
    ),
    Mutation(
        "only writes begun after a failure speak for FreshBooks",
        f"{FRESHBOOKS}/posting/patience.py",
        "                began > given_up.since\n",
        "                True\n",
        (f"{BLAME}::test_an_outage_that_begins_amid_the_last_orders_parks_none_of_them",),
    ),
    Mutation(
        "a write that cannot be looked for keeps no run from beginning",
        f"{FRESHBOOKS}/posting/leftovers.py",
        "            except (Failing, Refused, *DEFECTS) as error:",
        "            except KeyboardInterrupt as error:",
        (
            f"{BLAME}::test_a_killed_run_s_write_that_cannot_be_looked_for_waits_until_its_order_s_turn",
        ),
    ),
    Mutation(
        "a write that was put off is looked for before its order is written to",
        f"{FRESHBOOKS}/posting/service.py",
        "            self._leftovers.settle(order_id)\n",
        "",
        (
            f"{BLAME}::test_a_killed_run_s_write_that_cannot_be_looked_for_waits_until_its_order_s_turn",
        ),
    ),
    Mutation(
        "a record that cannot be parks its order alone",
        f"{FRESHBOOKS}/books/fields.py",
        "int(amount.as_tuple().exponent) < -MOST_DIGITS",
        "False",
        (BLAME,),
    ),
    Mutation(
        "an edit that keeps the total is overwritten where asked for",
        f"{FRESHBOOKS}/posting/plan.py",
        "return progress.overwrite and edited and comes_to_its_total(case, invoice)",
        "return False",
        ("tests/posting/test_posting_overwrite.py",),
    ),
    Mutation(
        "a refund that misses does not reword the sale",
        f"{FRESHBOOKS}/posting/effects.py",
        "progress = replace(progress, expression=-1, mended=False)",
        "pass",
        ("tests/posting/test_posting_overwrite.py",),
    ),
    Mutation(
        "a change that may be carried out late is waited for",
        f"{FRESHBOOKS}/posting/resolve.py",
        'waits = not over or intent.kind.startswith("create_")',
        'waits = intent.kind.startswith("create_")',
        ("tests/posting/test_posting_parties.py",),
    ),
    Mutation(
        "an item is known by its SKU before searches show it",
        f"{FRESHBOOKS}/posting/items.py",
        "item = self._of_sku(draft.sku) or self._found(draft)",
        "item = self._found(draft)",
        ("tests/posting/test_posting_parties.py",),
    ),
    Mutation(
        "a client that a person made is not changed",
        f"{FRESHBOOKS}/posting/clients.py",
        'own = Link("client", draft.key, found.id, content_hash=baseline)',
        "extra = ownership.made(found)\n"
        '        own = Link("client", draft.key, found.id, content_hash=baseline, extra=extra)',
        (f"{OWNERSHIP}::{BY_E_MAIL}",),
    ),
    Mutation(
        "a guest's client is not the customer's who says so",
        f"{FRESHBOOKS}/posting/clients.py",
        '                link = Link("client", draft.key, link.remote_id, content_hash=baseline)\n',
        '                extra = link.extra\n                link = Link("client", draft.key,'
        " link.remote_id, content_hash=baseline, extra=extra)\n",
        (f"{OWNERSHIP}::{OF_GUESTS}",),
    ),
    Mutation(
        "an item that a person made is not changed",
        f"{FRESHBOOKS}/posting/items.py",
        "if link is None or not ownership.is_made(link):",
        "if link is None:",
        (f"{OWNERSHIP}::test_an_item_that_a_person_made_is_used_and_never_changed",),
    ),
    Mutation(
        "a field that a person changed is not overwritten",
        f"{FRESHBOOKS}/posting/ownership.py",
        "if wrote.get(name) == _digest(name, standing[name])",
        "if True",
        (f"{OWNERSHIP}::test_a_person_s_correction_of_our_client_stays_and_is_told",),
    ),
    Mutation(
        "only what was not there before an unanswered create is taken for ours",
        f"{FRESHBOOKS}/posting/ownership.py",
        "        and stamp >= since.replace(microsecond=0)\n",
        "",
        (f"{OWNERSHIP}::{UNANSWERED}",),
    ),
    Mutation(
        "an unanswered creation is dated before its write",
        f"{FRESHBOOKS}/posting/writer.py",
        "opened_at=opened,",
        "opened_at=self._clock(),",
        (f"{OWNERSHIP}::test_a_client_whose_making_was_not_answered_is_ours",),
    ),
    Mutation(
        "only what holds all that was sent is taken for ours",
        f"{FRESHBOOKS}/posting/ownership.py",
        "all(_text(name, value) == held[name] for name, value in body.items())",
        "True",
        (f"{OWNERSHIP}::{UNANSWERED}",),
    ),
    Mutation(
        "an e-mail is kept unless it is to be followed",
        f"{FRESHBOOKS}/posting/clients.py",
        "        if not self._follow_emails:\n            return True\n",
        "",
        (f"{OWNERSHIP}::{KEPT}",),
    ),
    Mutation(
        "an e-mail is not moved onto another client's",
        f"{FRESHBOOKS}/posting/clients.py",
        "return any(row.id != link.remote_id for row in self._books.find_clients(draft.email))",
        "return False",
        (f"{OWNERSHIP}::test_an_e_mail_is_not_moved_onto_that_of_another_client",),
    ),
    Mutation(
        "a change that FreshBooks ignores is told",
        f"{FRESHBOOKS}/posting/changing.py",
        "ignored = ownership.not_taken(body, before, held)",
        "ignored = ()",
        (f"{OWNERSHIP}::test_a_change_that_freshbooks_ignores_is_told_and_not_made_again",),
    ),
    Mutation(
        "a client filed away is not taken out of the archive",
        f"{FRESHBOOKS}/posting/changing.py",
        "if standing.vis_state == ARCHIVED:",
        "if False:",
        (f"{OWNERSHIP}::test_a_client_that_was_archived_stays_filed_away",),
    ),
    Mutation(
        "nobody asks for a client again that no plan or right allows",
        f"{FRESHBOOKS}/posting/clients.py",
        "                    self._none_more = refused\n",
        "                    pass\n",
        (f"{REFUSED}::{ABOVE_LIMIT}",),
    ),
    Mutation(
        "a client of a taken user name is made without names",
        f"{FRESHBOOKS}/posting/clients.py",
        "for body in client_forms(draft):",
        "for body in client_forms(draft)[:1]:",
        (f"{REFUSED}::test_two_people_of_one_name_both_get_their_invoice",),
    ),
    Mutation(
        "refunds give back a surplus first",
        f"{FRESHBOOKS}/books/surplus.py",
        "replace(one, money=one.money - back, credit=one.credit - kept)",
        "one",
        ("target-freshbooks/tests/test_books_cases.py",),
    ),
    Mutation(
        "no wording of a refund goes below zero",
        f"{FRESHBOOKS}/books/refund_fit.py",
        "min(_answers(kept, way, live, decimals)) >= 0",
        "True",
        ("target-freshbooks/tests/test_books_cases.py",),
    ),
    Mutation(
        "a payment changed by hand is not set back",
        f"{FRESHBOOKS}/posting/plan.py",
        "stop = altered_by_hand(case, actual, progress)",
        "stop = None",
        ("tests/posting/test_posting_histories.py",),
    ),
    Mutation(
        "refund lines that say other money come off before an invoice is reworded",
        f"{FRESHBOOKS}/posting/proof.py",
        "    if outdated:\n",
        "    if False:\n",
        ("tests/posting/test_posting_histories.py",),
    ),
    Mutation(
        "a cancelled order's invoice that does not come to it is not adopted",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "if not agrees and not (overwrite",
        "if False and not (overwrite",
        ("tests/posting/test_posting_histories.py",),
    ),
    Mutation(
        "what a killed run left is not taken for a run at work",
        f"{FRESHBOOKS}/ctl/verify.py",
        "if may_change and self._ledger.is_at_work(self._account.account_id):",
        "if may_change:",
        ("tests/posting/test_posting_verify.py",),
    ),
    Mutation(
        "no key is changed while somebody holds an entry",
        f"{CREDENTIALS}/store.py",
        "                held.enter_context(self.exclusive(name, ROTATION_SECONDS))\n",
        "                pass\n",
        ("plugins/credentials/tests/test_credentials_processes.py",),
    ),
    Mutation(
        "a login is marked before its code is spent",
        f"{FRESHBOOKS}/freshbooks/tokens.py",
        "            self._mark(entry, document)\n            with undisturbed():",
        "            with undisturbed():",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_tokens.py",),
    ),
    Mutation(
        "an order convicted before is convicted alone",
        f"{FRESHBOOKS}/posting/breaker.py",
        "if not one.convicted and ",
        "if ",
        (f"{INTERRUPTED}::test_an_order_whose_invoice_cannot_be_read_holds_nobody_up",),
    ),
    Mutation(
        "a wording that was found written is not written again",
        f"{FRESHBOOKS}/posting/poster.py",
        "advance(at.progress, step) if happened else at.progress",
        "at.progress",
        (f"{INTERRUPTED}::test_lines_whose_answers_are_all_lost_are_not_written_again_and_again",),
    ),
    Mutation(
        "what went well is not held against the next try",
        f"{FRESHBOOKS}/posting/patience.py",
        "            self._went_well(kind, began)\n"
        "            self._trials.pop((order_id, kind, key), None)\n",
        "            self._went_well(kind, began)\n",
        (f"{INTERRUPTED}::test_a_write_that_went_well_is_not_held_against_the_next_one",),
    ),
    Mutation(
        "another's money is looked for before an invoice is deleted",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "            for row in standing.values():\n",
        "            for row in ():\n",
        (f"{INTERRUPTED}::test_a_cancelled_order_s_invoice_that_bears_another_s_money_is_kept",),
    ),
    Mutation(
        "a cancelled order's credit notes go with its invoice",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "for refund_id, remote in memory.credit_notes.items()",
        "for refund_id, remote in ()",
        (f"{INTERRUPTED}::test_a_cancelled_order_is_deleted_with_its_credit_notes",),
    ),
    Mutation(
        "taxes that a state parts from their order are kept",
        f"{FRESHBOOKS}/posting/service.py",
        " - self._said.pop(order_id, set())",
        "",
        (f"{INTERRUPTED}::test_taxes_that_a_state_parts_from_their_order_are_kept",),
    ),
    Mutation(
        "a run that ended early is known as failed",
        f"{FRESHBOOKS}/target.py",
        "        with self._stack:\n            self.listen(file_input)\n",
        "        self.listen(file_input)\n",
        (f"{INTERRUPTED}::test_a_run_that_ended_early_is_known_as_failed",),
    ),
    Mutation(
        "a postal code stays out of the journal",
        f"{FRESHBOOKS}/ledger/redaction.py",
        'names - {"code"}',
        "names",
        (f"{INTERRUPTED}::test_a_postal_code_does_not_stay_in_the_journal",),
    ),
    Mutation(
        "a refused token is not offered again",
        f"{FRESHBOOKS}/freshbooks/tokens.py",
        "            self._dead.add(token)\n",
        "            pass\n",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_tokens.py",),
    ),
    Mutation(
        "a token in an answer is masked",
        f"{FRESHBOOKS}/freshbooks/transport.py",
        'reply.body.replace(token.encode(), b"[token]")',
        "reply.body",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_transport.py",),
    ),
    Mutation(
        "a right to write that lacks is no outage",
        f"{FRESHBOOKS}/freshbooks/transport.py",
        "not operation.writes and (status in NO_READING or kind is Kind.NO_RIGHT)",
        "status in NO_READING or kind is Kind.NO_RIGHT",
        (f"{REFUSALS}::test_a_lack_of_rights_to_write_is_no_outage",),
    ),
    Mutation(
        "what is said of the account stops the run",
        f"{FRESHBOOKS}/freshbooks/transport.py",
        "    if kind is Kind.NO_ACCOUNT or may_not_read:\n",
        "    if may_not_read:\n",
        (f"{REFUSALS}::test_what_is_said_of_the_account_stops_the_run_and_parks_nobody",),
    ),
    Mutation(
        "what a refusal quotes is not taken for its words",
        f"{FRESHBOOKS}/freshbooks/refusals.py",
        '_QUOTED.sub("", error.message)',
        "error.message",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_refusals.py",),
    ),
    Mutation(
        "a busy record of a cancelled order is tried again",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "                if pause is None:\n",
        "                if True:\n",
        (f"{REFUSALS}::test_a_busy_record_of_a_cancelled_order_is_deleted_at_a_later_try",),
    ),
    Mutation(
        "payments come back where a cancelled order's invoice cannot be deleted",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "        for key, payment in taken.items():\n",
        "        for key, payment in {}.items():\n",
        (
            f"{REFUSALS}::test_a_cancelled_order_s_invoice_that_the_lock_keeps_has_its_payment_again",
        ),
    ),
    Mutation(
        "a deletion that did nothing is not taken for done",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "                if answer.vis_state != DELETED and self._stands(kind, remote_id):\n",
        "                if False:\n",
        (f"{REFUSALS}::test_a_deletion_that_freshbooks_ignores_is_not_asked_for_again",),
    ),
    Mutation(
        "a credit that a person made is not taken for an overpayment's",
        f"{FRESHBOOKS}/freshbooks/client.py",
        'note.credit_type == "overpayment" and note.client_id == client_id',
        "True",
        ("target-freshbooks/tests/freshbooks/test_freshbooks_client.py",),
    ),
    Mutation(
        "a hook's signature is compared",
        f"{WEBHOOKS}/signature.py",
        "        if not any(matches):\n",
        "        if not matches:\n",
        ("plugins/webhooks/tests/test_webhooks_signature.py",),
    ),
    Mutation(
        "a hook is answered when it is committed",
        f"{WEBHOOKS}/receiver.py",
        "                new = await future\n",
        "                new = True\n",
        (
            "plugins/webhooks/tests/test_webhooks_crash.py",
            "plugins/webhooks/tests/test_webhooks_receiver.py",
        ),
    ),
    Mutation(
        "the bookmark follows the page",
        f"{TAP}/streams/orders.py",
        "            yield from run.emit(page.rows)\n            if page.through is not None:\n"
        "                self._bookmark(self, page.through)\n",
        "            if page.through is not None:\n"
        "                self._bookmark(self, page.through)\n"
        "            yield from run.emit(page.rows)\n",
        ("tap-bigcommerce-orders/tests", "tests/test_e2e_pipe.py"),
    ),
    Mutation(
        "equal timestamps are read to the end",
        f"{TAP}/order_pages.py",
        "                yield from self._by_id(cursor, cursor, given, through=cursor)\n",
        "",
        ("tap-bigcommerce-orders/tests/test_tap_paging.py",),
    ),
    Mutation(
        "an order's parts come before it",
        f"{TAP}/streams/orders.py",
        '            self._write("transactions", found.transactions)\n',
        "            yield found.order\n"
        '            self._write("transactions", found.transactions)\n',
        ("tap-bigcommerce-orders/tests",),
    ),
    Mutation(
        "every record names its store",
        f"{TAP}/streams/base.py",
        '{**shape(row, self.schema), "store_hash": self._tap.store_hash}',
        "shape(row, self.schema)",
        (STORE_IDENTITY,),
    ),
    Mutation(
        "an answer for another store is refused",
        f"{TAP}/streams/store.py",
        'if row.get("id") != self._tap.store_hash:',
        "if False:",
        (STORE_IDENTITY,),
    ),
    Mutation(
        "a record of another store is refused before it is taken in",
        f"{FRESHBOOKS}/sinks.py",
        "        self._target.service.expect(store_hash)\n",
        "",
        (STORES,),
    ),
    Mutation(
        "a record of no store is refused",
        f"{FRESHBOOKS}/sinks.py",
        "if not isinstance(store_hash, str) or not store_hash.strip():",
        "if False:",
        (STORES,),
    ),
    Mutation(
        "without a time zone no order has a day",
        f"{FRESHBOOKS}/books/calendar.py",
        "    if not name:\n",
        '    name = name or "UTC"\n    if not name:\n',
        (STORES,),
    ),
    Mutation(
        "without a time zone no client and no item is written",
        f"{FRESHBOOKS}/posting/service.py",
        "            check_zone(self._ledger, self._policy)\n",
        "",
        (STORES,),
    ),
    Mutation(
        "a bookmark of another store is refused",
        f"{TAP}/tap.py",
        "        check_store(state, self.store_hash)\n",
        "",
        (STORE_IDENTITY,),
    ),
    Mutation(
        "a bookmark of no store is refused",
        f"{TAP}/given_state.py",
        "(holder is None and bookmark.get(POSITION) is None)",
        "holder is None",
        (STORE_IDENTITY,),
    ),
    Mutation(
        "each bookmark names its store",
        f"{TAP}/writing.py",
        "        stamp(state, self._store_hash)\n",
        "",
        (STORE_IDENTITY,),
    ),
    Mutation(
        "a store is named beside a position only",
        f"{TAP}/given_state.py",
        "        if bookmark.get(POSITION) is not None:\n            bookmark[STORE] = store_hash",
        "        bookmark[STORE] = store_hash",
        (STORE_IDENTITY,),
    ),
    Mutation(
        "the quota's reserve is left to others",
        f"{TAP}/quota.py",
        "elif self._left <= self._reserve(self._quota):",
        "elif False:",
        ("tap-bigcommerce-orders/tests/test_tap_quota.py",),
    ),
    Mutation(
        "a boolean that is none is not false",
        f"{CREDENTIALS}/settings/values.py",
        '    if word not in {"true", "false"}:\n        raise ValueError\n',
        "",
        (TARGET_SETTINGS, "-k", "wrong_settings_end"),
    ),
    Mutation(
        "a day is written year first",
        f"{CREDENTIALS}/settings/values.py",
        "    if not _DAY.fullmatch(text):\n        raise ValueError\n",
        "",
        ("plugins/credentials/tests/test_settings_values.py",),
    ),
    Mutation(
        "a name one slip from a setting's stops",
        f"{CREDENTIALS}/settings/names.py",
        "            if nearly(name.lower(), setting):\n",
        "            if False:\n",
        ("plugins/credentials/tests/test_settings_names.py",),
    ),
    Mutation(
        "a service link is no setting",
        f"{CREDENTIALS}/settings/names.py",
        "        and not _is_service_link(rest, value)\n",
        "",
        ("plugins/credentials/tests/test_settings_names.py",),
    ),
    Mutation(
        "an object in pieces is not left out",
        f"{CREDENTIALS}/settings/form.py",
        "            if whole and whole not in given:\n",
        "            if False:\n",
        (TARGET_SETTINGS, "-k", "wrong_environment"),
    ),
    Mutation(
        "the target looks at the names",
        f"{FRESHBOOKS}/target.py",
        "        self._form.check_names(self._config, os.environ, self.logger)\n",
        "",
        (TARGET_SETTINGS, "-k", "names_only"),
    ),
    Mutation(
        "a command looks at the names",
        f"{FRESHBOOKS}/ctl/context.py",
        "        FORM.check_names(config, os.environ, logger)\n",
        "",
        ("target-freshbooks/tests/ctl/test_ctl_settings.py",),
    ),
    Mutation(
        "the tap looks at the names",
        f"{TAP}/tap.py",
        "        self._form.check_names(self._config, os.environ, self.logger)\n",
        "",
        ("tap-bigcommerce-orders/tests/test_tap_process.py", "-k", "misspelt"),
    ),
    Mutation(
        "the receiver looks at the names",
        f"{WEBHOOKS}/settings.py",
        "        FORM.check_names(given, environment, log)\n",
        "",
        ("plugins/webhooks/tests/test_webhooks_receiver.py", "-k", "misspelt"),
    ),
    Mutation(
        "a closed output is forgotten before the end",
        f"{FRESHBOOKS}/target.py",
        "            forget_reader()\n",
        "",
        ("target-freshbooks/tests/target/test_target_process.py", "-k", "goes_away"),
    ),
    Mutation(
        "what a command has written is flushed before its end",
        f"{CREDENTIALS}/output.py",
        '            say("")  # what argparse has written is flushed here\n',
        "            pass\n",
        ("tests/test_closed_output.py", "-k", "connector-credentials"),
    ),
    Mutation(
        "a target for the sandbox opens nothing real",
        f"{FRESHBOOKS}/apart.py",
        "    keep_apart(environment, addresses",
        "    dict(addresses",
        (APART, "-k", "program_stops or hook or loopback or folder"),
    ),
    Mutation(
        "a tap for the sandbox opens nothing real",
        f"{TAP}/tap.py",
        "        keep_apart(\n            os.environ,\n",
        "        dict(\n",
        (APART, "-k", "program_stops or hook or loopback or folder"),
    ),
    Mutation(
        "a webhook receiver for the sandbox opens nothing real",
        f"{WEBHOOKS}/cli.py",
        '        check_sandbox(settings, os.environ, getattr(options, "url", ""))\n',
        "",
        (APART, "-k", "program_stops or hook or loopback or folder"),
    ),
    Mutation(
        "the credentials command for the sandbox opens nothing real",
        f"{CREDENTIALS}/cli.py",
        "        keep_apart(\n            os.environ,\n",
        "        dict(\n",
        (APART, "-k", "program_stops or hook or loopback or folder"),
    ),
    Mutation(
        "a real ledger is not the sandbox's by a link",
        f"{CREDENTIALS}/sandbox_guard.py",
        ".expanduser().resolve()",
        ".expanduser()",
        (APART, "-k", "program_stops or hook or loopback or folder"),
    ),
    Mutation(
        "a login to another account takes no place unasked",
        f"{FRESHBOOKS}/ctl/whose.py",
        "self.refused = not self.switch and self._is_to_another(self.identity)",
        "self.refused = False",
        (f"{ACCOUNT}::test_a_login_of_somebody_else_to_another_account_is_given_back",),
    ),
    Mutation(
        "a login of the same user is kept, whose former one is dead",
        f"{FRESHBOOKS}/ctl/whose.py",
        "self.kept = self.former is not None and self.former.user_id == self.identity.id",
        "self.kept = False",
        (ACCOUNT, "-k", "same_user"),
    ),
    Mutation(
        "the ledger's account is compared before a run begins",
        f"{FRESHBOOKS}/wiring.py",
        "        ledger.check_account(account.pinned)\n",
        "        pass\n",
        (f"{ACCOUNT}::test_a_run_with_another_account_id_stops_before_a_write",),
    ),
    Mutation(
        "a first run at real addresses looks first",
        f"{FRESHBOOKS}/wiring.py",
        "lacks_start_date = look_first and _lacks_start_date(settings, ledger)",
        "lacks_start_date = False",
        ("target-freshbooks/tests/target/test_target_first_run.py",),
    ),
    Mutation(
        "a settled order is left alone",
        f"{FRESHBOOKS}/posting/service.py",
        'if row is not None and row.state == "settled":',
        "if False:",
        (SETTLED,),
    ),
    Mutation(
        "settling waits for a run that has the order in hand",
        f"{FRESHBOOKS}/ctl/settle.py",
        "    if account is None:\n",
        "    if True:\n",
        (f"{SETTLED}::test_settling_waits_for_a_run_that_is_at_work",),
    ),
    Mutation(
        "what becomes of a posted order is noticed",
        f"{FRESHBOOKS}/posting/outcomes.py",
        "notice = self._noticed(facts, before)",
        "notice = None",
        ("tests/posting/test_posting_notices.py",),
    ),
    Mutation(
        "a proven Draft is kept one",
        f"{FRESHBOOKS}/posting/proof.py",
        "if proven and is_kept(case, invoice, progress):",
        "if False:",
        (DRAFTS,),
    ),
    Mutation(
        "what is kept as a Draft is sent only when that is asked for",
        f"{FRESHBOOKS}/posting/poster.py",
        "            post_as=then.post_as,",
        "            post_as=now.post_as,",
        (f"{DRAFTS}::test_a_draft_stays_one_when_the_setting_changes_and_new_orders_are_sent",),
    ),
    Mutation(
        "a kept Draft follows its order",
        f"{FRESHBOOKS}/posting/proof.py",
        "progress.reword or case.memory.content not in {None, case.content}",
        "progress.reword",
        (DRAFTS, "-k", "up_to_date"),
    ),
    Mutation(
        "a mark is a whole line",
        f"{FRESHBOOKS}/books/marks.py",
        "_MARK.fullmatch(line.strip())",
        "_MARK.search(line)",
        (f"{TERMS}::test_a_draft_made_by_hand_that_mentions_the_order_is_not_ours",),
    ),
    Mutation(
        "a source has one store",
        f"{FRESHBOOKS}/ledger/ownership.py",
        "if bound is not None and bound != store_hash:",
        "if False:",
        (f"{TERMS}::test_an_order_of_another_store_is_refused_and_nothing_is_written",),
    ),
    Mutation(
        "the first write pins the account",
        f"{FRESHBOOKS}/wiring.py",
        "once(lambda: ledger.pin_account(account.pinned)),",
        "once(lambda: None),",
        (f"{TERMS}::test_a_ledger_of_another_account_stops_the_run_before_a_write",),
    ),
    Mutation(
        "an order keeps the settings it was posted under",
        f"{FRESHBOOKS}/posting/poster.py",
        "        then = now.under(terms.settings)\n",
        "        then = now\n",
        (f"{TERMS}::test_edits_and_refunds_of_a_posted_order_use_its_own_settings",),
    ),
    Mutation(
        "an invoice found again says the amounts and taxes of its order",
        f"{FRESHBOOKS}/posting/case.py",
        "self._comes_to_its_order(invoice) and self._says_its_order(invoice)",
        "self._comes_to_its_order(invoice)",
        (f"{TERMS}::test_a_sent_invoice_of_the_same_total_but_other_lines_is_not_adopted",),
    ),
    Mutation(
        "a run that rewrites many invoices is braked",
        f"{FRESHBOOKS}/posting/brake.py",
        "if self._limit is not None and len(self._rewritten) >= self._limit:",
        "if False:",
        (f"{TERMS}::test_a_run_that_rewrites_many_invoices_of_earlier_runs_stops",),
    ),
    Mutation(
        "a head that a person changed stays",
        f"{FRESHBOOKS}/posting/head.py",
        "return known is not None and known[1] != _digest(_held(invoice), part)",
        "return False",
        (f"{HEAD}::test_an_invoice_that_a_person_gave_to_another_client_stays_there",),
    ),
    Mutation(
        "a step that was not fulfilled is not made again",
        f"{FRESHBOOKS}/posting/poster.py",
        "replace(self._look_again(taken), unfulfilled=taken.unfulfilled | {step.identity})",
        "self._look_again(taken)",
        (f"{ELSEWHERE}::test_a_put_that_freshbooks_ignores_is_not_repeated",),
    ),
    Mutation(
        "a payment that came out lower is taken back",
        f"{FRESHBOOKS}/posting/overpayment.py",
        "    for key, found in capped(case, actual).items():\n",
        "    for key, found in dict[str, ObservedPayment]().items():\n",
        (f"{ELSEWHERE}::test_somebody_else_pays_between_our_look_and_our_payment",),
    ),
    Mutation(
        "the credit of an overpayment is deleted",
        f"{FRESHBOOKS}/posting/overpayment.py",
        "for key, credit in actual.overpayments.items():",
        "for key, credit in ():",
        (f"{ELSEWHERE}::test_a_part_paid_elsewhere_leaves_no_credit_however_freshbooks_keeps_it",),
    ),
    Mutation(
        "another writer stops the run",
        f"{FRESHBOOKS}/posting/poster.py",
        "                raise AnotherWriter(at.case.desired.invoice.number, found.id)\n",
        "                pass\n",
        (f"{ELSEWHERE}::test_the_run_stops_where_the_other_payment_bears_our_own_note",),
    ),
    Mutation(
        "money that waited for the quota is looked at again",
        f"{FRESHBOOKS}/freshbooks/client.py",
        'impatient=kind is PAYMENTS and body is not None and "amount" in body,',
        "impatient=False,",
        (f"{ELSEWHERE}::test_money_waiting_for_the_quota_is_looked_at_again",),
    ),
    Mutation(
        "what was lowered for a rewrite that is blocked is raised again",
        f"{FRESHBOOKS}/posting/poster.py",
        "        blocked = replace(at.progress, rewrite_blocked=True)\n"
        "        return replace(at, progress=blocked, blocked=verdict)\n",
        "        return verdict\n",
        (f"{ELSEWHERE}::test_an_edit_refused_half_way_puts_the_payment_back",),
    ),
    Mutation(
        "the undoing of an overpayment goes on though the order changed",
        f"{FRESHBOOKS}/posting/poster.py",
        "            left = self._credits_left(order_id, number, memory)\n",
        "            left = None\n",
        (
            f"{ELSEWHERE}::test_a_credit_goes_though_the_order_changed_before_its_undoing_was_through",
        ),
    ),
    Mutation(
        "a record that is answered as deleted is missing",
        f"{FRESHBOOKS}/freshbooks/transport.py",
        "    if deleted or _is_missing(status, errors):\n",
        "    if _is_missing(status, errors):\n",
        (
            f"{ELSEWHERE}::test_a_payment_that_a_person_deleted_is_known_as_deleted_however_it_is_shown",
        ),
    ),
    Mutation(
        "no stop comes before a credit of ours is gone",
        f"{FRESHBOOKS}/posting/plan.py",
        "    if is_marked(invoice, case.desired.invoice.marker):\n",
        "    if False:\n",
        (f"{ELSEWHERE}::test_no_credit_is_left_though_the_invoice_was_deleted_meanwhile",),
    ),
    Mutation(
        "a payment known by its note only is remembered",
        f"{FRESHBOOKS}/posting/poster.py",
        "                self._ledger.put_link(known)\n",
        "",
        (f"{ELSEWHERE}::test_a_payment_known_by_its_note_only_is_remembered_as_it_was",),
    ),
    Mutation(
        "undoing steps are never spared",
        f"{FRESHBOOKS}/posting/poster.py",
        "spent = at.writes >= most_writes(at.case) and not undoes(step, at.actual)",
        "spent = at.writes >= most_writes(at.case)",
        (
            f"{ELSEWHERE}::test_what_was_made_wrong_is_undone_whatever_an_attempt_has_written_before",
        ),
    ),
    Mutation(
        "an attempt has a bound of writes",
        f"{FRESHBOOKS}/posting/poster.py",
        "spent = at.writes >= most_writes(at.case) and not undoes(step, at.actual)",
        "spent = False",
        (f"{ELSEWHERE}::test_an_attempt_ends_at_its_bound_of_writes",),
    ),
    Mutation(
        "the brake counts deletions",
        f"{FRESHBOOKS}/posting/cancelling.py",
        "            self._brake.before_rewriting(order_id, invoice.number)\n",
        "",
        (f"{TERMS}::test_a_run_that_deletes_many_invoices_stops_too",),
    ),
    Mutation(
        "the mark moves where a field is too short for it",
        f"{FRESHBOOKS}/posting/poster.py",
        'if meant.field not in {"notes", "po_number"}:',
        "if True:",
        (f"{TERMS}::test_a_field_too_short_for_the_mark_leaves_it_to_the_other",),
    ),
    Mutation(
        "a refund is not stopped by a total that may round below zero",
        f"{FRESHBOOKS}/posting/settlement.py",
        "max(coming.lowest, ZERO)",
        "coming.lowest",
        ("tests/test_e2e_meltano.py",),
    ),
    Mutation(
        "a credit that a person's edit made of our payment is left",
        f"{FRESHBOOKS}/posting/overpayment.py",
        "        and (as_written or key in case.memory.overpayments)\n",
        "",
        (f"{ELSEWHERE}::test_a_credit_that_a_person_s_own_edit_made_of_our_payment_is_left",),
    ),
    Mutation(
        "a credit is told that came of a payment while the total fell",
        f"{FRESHBOOKS}/posting/poster.py",
        "        taken = self._with_credit_by_hand(at.actual, taken)\n",
        "",
        (f"{ELSEWHERE}::{CREDIT_TOLD}",),
    ),
    Mutation(
        "an invoice stays with the record of its client",
        f"{FRESHBOOKS}/posting/head.py",
        'same_person = memory.head.get("client", [""])[0] == hash_of(client_key)',
        "same_person = False",
        (f"{INTERRUPTED}::test_a_client_that_cannot_be_made_again_parks_its_order_alone",),
    ),
    Mutation(
        "an answer has a deadline, its headers too",
        f"{CREDENTIALS}/deadline.py",
        "class _Connection(HTTPConnection):\n    response_class = _Response\n",
        "class _Connection(HTTPConnection):\n    pass\n",
        (f"{TAP_FAULTS}::test_an_answer_that_drips_is_given_up_and_asked_for_again",),
    ),
)
