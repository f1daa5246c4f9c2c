"""The id that says which order a record is of: a whole number that the ledger can hold, or none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.sinks import RecordError, whole_number


@pytest.mark.parametrize("written", [12, "12", Decimal("12.0"), 2**63 - 1])
def test_an_id_may_be_a_number_or_a_text(written: Any) -> None:
    assert whole_number({"id": written}, "id", "orders") == int(written)


@pytest.mark.parametrize(
    "written",
    [True, "1.5", Decimal("1.5"), 0, -5, 2**63, "9" * 30, "9" * 5_000, None, [], {}, "x", ["NaN"]],
)
def test_what_is_no_id_of_an_order_is_not_taken_for_another_s(written: Any) -> None:
    with pytest.raises(RecordError, match="no usable id"):
        whole_number({"id": written}, "id", "orders")
