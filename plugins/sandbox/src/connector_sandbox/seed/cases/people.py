"""Buyers, days at the edge of a month, and states in which nothing may be booked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector_sandbox.seed.cases.builders import GUEST, STATE, Case, D, becomes, case, line
from connector_sandbox.seed.changes import CANCELLED
from connector_sandbox.seed.model import Override, Transaction


def people_and_dates() -> list[Case]:
    """Guests, e-mails, days at the edge, states of an order that must not be booked."""
    goods = line("24.00", STATE)
    ada = replace(GUEST, first_name="Ada", last_name="Case")
    fine: dict[str, Any] = {"billing": ada}
    return [
        case("client_guest", goods),
        case("client_email_lower", goods, billing=replace(ada, email="ada.case@example.com")),
        case("client_email_other_case", goods, billing=replace(ada, email="Ada.Case@Example.COM")),
        case("client_email_plus", goods, billing=replace(ada, email="ada.case+shop@example.com")),
        case("client_without_email", goods, billing=replace(ada, email="")),
        case("client_without_billing_email", goods, customer_id=14, billing=replace(ada, email="")),
        case(
            "client_without_name",
            goods,
            billing=replace(ada, first_name="", last_name="", email="nameless@example.com"),
        ),
        case(
            "client_shares_email_with_guest",
            goods,
            customer_id=14,
            billing=replace(ada, email="gail.guest@example.com"),
        ),
        case(
            "client_deleted_customer",
            goods,
            customer_id=9,
            billing=replace(ada, email="gone@example.com"),
        ),
        case("date_just_before_midnight", goods, created="2026-10-16T03:59:59+00:00", **fine),
        case("date_just_after_midnight", goods, created="2026-10-16T04:00:00+00:00", **fine),
        case("date_first_minute_of_month", goods, created="2026-10-01T04:00:30+00:00", **fine),
        case("date_before_month_in_store", goods, created="2026-10-01T03:30:00+00:00", **fine),
        case("date_last_minute_of_month", goods, created="2026-11-01T03:59:30+00:00", **fine),
        case("date_after_clock_change", goods, created="2026-11-02T04:30:00+00:00", **fine),
        case("date_in_repeated_hour", goods, created="2026-11-01T06:30:00+00:00", **fine),
        case(
            "state_migrated",
            goods,
            external_source="M-MIG",
            external_id="OLD-7781",
            created="2024-03-05T15:00:00+00:00",
            order_source="external",
        ),
        case("state_archived", goods, is_deleted=True),
        case("state_archived_later", goods, then=((50, becomes(is_deleted=True)),)),
        case("state_cancelled", goods, pay=False, status_id=CANCELLED, payment_status=""),
        case("state_cancelled_after_payment", goods, then=((30, becomes(status_id=CANCELLED)),)),
        case("state_disputed", goods, status_id=13),
        case("state_incomplete", goods, status_id=0, pay=False, payment_status=""),
        case("state_pending", goods, status_id=1, pay=False, payment_status="pending"),
        case(
            "state_overridden_totals",
            goods,
            override=Override(total_inc_tax=D("31.00"), total_ex_tax=D("29.50")),
            transactions=(Transaction(amount=D("31.00")),),
            order_source="external",
        ),
    ]
