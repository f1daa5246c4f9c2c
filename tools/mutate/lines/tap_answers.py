"""Of the tap: what it makes of answers that are missing, odd or only a part."""

from __future__ import annotations

from mutate.lines.mutation import TAP, Mutation
from mutate.lines.tests import TAP_FAULTS

ODD_SHOP = "tap-bigcommerce-orders/tests/test_tap_odd_answers.py"

MUTATIONS = (
    Mutation(
        "the tap marks an order of which it got transactions in part",
        "P5",
        f"{TAP}/child_reader.py",
        '            order["transactions_truncated"] = True\n',
        "",
        ("tap-bigcommerce-orders/tests/test_tap_transactions.py", "-k", "page"),
    ),
    Mutation(
        "what a first page says of the number of transactions counts to the end",
        "P5",
        f"{TAP}/child_reader.py",
        "total = max(total, total_of(answer))",
        "total = total_of(answer)",
        ("tap-bigcommerce-orders/tests/test_tap_transactions.py", "-k", "only_the_first"),
    ),
    Mutation(
        "a full page of any size may be a part of the transactions",
        "P5",
        f"{TAP}/child_reader.py",
        "count in FULL_PAGES or (",
        "(",
        ("tap-bigcommerce-orders/tests/test_tap_transactions.py", "-k", "full_page"),
    ),
    Mutation(
        "a row that is no object stops the tap in a sentence",
        "P10",
        f"{TAP}/pages.py",
        "    if not all(isinstance(row, dict) for row in rows):\n",
        "    if False:\n",
        (ODD_SHOP, "-k", "no_object"),
    ),
    Mutation(
        "a row without an id stops the tap in a sentence",
        "P10",
        f"{TAP}/pages.py",
        "    number = whole(row.get(field))\n",
        "    number = int(row[field])\n",
        (ODD_SHOP, "-k", "usable_id"),
    ),
    Mutation(
        "an odd part of one order stops no other order",
        "P10",
        f"{TAP}/unreadable_parts.py",
        "    if not is_selected:\n",
        "    if True:\n",
        (ODD_SHOP, "-k", "stops_no_other"),
    ),
    Mutation(
        "an order that comes without an odd part says so",
        "P10",
        f"{TAP}/unreadable_parts.py",
        "    order.setdefault(UNREADABLE, []).append(path)\n",
        "    pass\n",
        (ODD_SHOP, "-k", "stops_no_other"),
    ),
    Mutation(
        "an odd part stops the tap where no order could be marked",
        "P6",
        f"{TAP}/unreadable_parts.py",
        "    if not is_selected:\n",
        "    if False:\n",
        (TAP_FAULTS, "-k", "no_answer"),
    ),
    Mutation(
        "a record is what its schema says",
        "P10",
        f"{TAP}/streams/base.py",
        "        set_apart(record, self.schema)\n",
        "        pass\n",
        ("tap-bigcommerce-orders/tests/test_tap_odd_answers.py",),
    ),
    Mutation(
        "lines that nobody counted are asked for",
        "P10",
        f"{TAP}/order_lines.py",
        " or (stated is None and not lines)",
        "",
        (
            "tap-bigcommerce-orders/tests/test_tap_lines.py",
            "-k",
            "cut_short",
        ),
    ),
    Mutation(
        "an odd answer is not taken for no such order",
        "P6",
        f"{TAP}/pages.py",
        '        raise OddAnswer("no order", path)\n',
        "        return None\n",
        (ODD_SHOP, "-k", "own_answer"),
    ),
    Mutation(
        "a refund that came without its order brings it later",
        "P6",
        f"{TAP}/streams/orders.py",
        "run.note_made(alone)",
        "run.note_refunds(alone)",
        ("tap-bigcommerce-orders/tests/test_tap_idle.py", "-k", "not_to_be_had"),
    ),
    Mutation(
        "a customer or product without an id is no record",
        "P10",
        f"{TAP}/streams/listed.py",
        "self.complete(check_ids(self.path, rows))",
        "self.complete(rows)",
        (ODD_SHOP, "-k", "usable_id"),
    ),
    Mutation(
        "a coupon without an id marks its order",
        "P10",
        f"{TAP}/child_reader.py",
        'page if kind == "taxes" else check_ids(path, page)',
        "page",
        (ODD_SHOP, "-k", "usable_id"),
    ),
    Mutation(
        "a missing part of one order stops no other order",
        "P10",
        f"{TAP}/unreadable_parts.py",
        "    except StoreNotFound:\n",
        "    except ZeroDivisionError:\n",
        (ODD_SHOP, "-k", "missing_marks or nothing_is_to_be_had"),
    ),
    Mutation(
        "an archived order comes without what is missing of it",
        "P10",
        f"{TAP}/unreadable_parts.py",
        '        if order.get("is_deleted") is not True:\n',
        "        if True:\n",
        (ODD_SHOP, "-k", "nothing_is_to_be_had"),
    ),
    Mutation(
        "lines that cannot be read do not say what no line has",
        "P5",
        f"{TAP}/order_lines.py",
        "                with self._lock:\n                    self._never_given |= lacking\n",
        "            with self._lock:\n"
        "                self._never_given |= ACCOUNTING_FIELDS.difference(*lines)\n",
        (ODD_SHOP, "-k", "do_not_speak"),
    ),
)
