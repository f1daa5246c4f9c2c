"""Orders that were sold through marketplaces, with the tax that those collect."""

from __future__ import annotations

from typing import Any

from connector_sandbox.seed.cases.builders import STATE, Case, case, line, refunds, ship
from connector_sandbox.seed.changes import RefundLine, RefundRequest


def marketplaces() -> list[Case]:
    """One for each way in which a marketplace's orders may be booked."""
    goods = line("24.00", STATE, quantity=3)
    shipped: dict[str, Any] = {"ship_to": (ship("5.00"),), "payment_method": "Marketplace"}
    unpaid: dict[str, Any] = {"pay": False, "payment_status": "", **shipped}
    one = RefundRequest(lines=(RefundLine(line=0, quantity=1),))
    return [
        case("marketplace_net", goods, order_source="amazon", **unpaid),
        case(
            "marketplace_net_refunded",
            goods,
            order_source="amazon",
            then=((30, refunds(one)),),
            **shipped,
        ),
        case("marketplace_own", goods, order_source="ebay", **shipped),
        case("marketplace_skipped", goods, order_source="etsy", **unpaid),
        case("marketplace_undecided", goods, order_source="walmart", **shipped),
    ]
