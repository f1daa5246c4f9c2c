"""v3 customers: pages by number and by cursor, at most ten addresses included, strict filters."""

import base64
import binascii
import json
import sqlite3
from datetime import datetime
from typing import Any

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce import dates
from connector_sandbox.bigcommerce.access import (
    CUSTOMERS,
    Answer,
    Call,
    Problem,
    StoreGuard,
    answer,
)
from connector_sandbox.bigcommerce.filters import many, strict_moment, strict_number, where
from connector_sandbox.bigcommerce.paging import Page, link, page_of, rows_of, v3_list
from connector_sandbox.exact_json import loads
from connector_sandbox.filters import Condition, Filter, compare
from connector_sandbox.seed.catalog import Customer
from connector_sandbox.seed.model import Address

ADDRESSES_INCLUDED = 10
_SORTS = {"date_created": "created", "last_name": "last_name", "date_modified": "modified"}
_INCLUDES = {
    "addresses": "addresses",
    "attributes": "attributes",
    "formfields": "form_fields",
    "storecredit": "store_credit_amounts",
    "shopper_profile_id": "shopper_profile_id",
    "segment_ids": "segment_ids",
}


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        guard.route("v3/customers", list_customers, CUSTOMERS),
        guard.route("v3/customers/addresses", list_addresses, CUSTOMERS),
    ]


def customer_document(customer: Customer, at: datetime) -> dict[str, Any]:
    """A customer with everything that can be included."""
    who = customer.address
    return {
        "id": customer.id,
        "email": who.email,
        "first_name": who.first_name,
        "last_name": who.last_name,
        "company": who.company,
        "phone": who.phone,
        "registration_ip_address": "",
        "notes": "",
        "tax_exempt_category": "G" if customer.tax_exempt else "",
        "customer_group_id": 0,
        "date_created": dates.iso(at),
        "date_modified": dates.iso(at),
        "address_count": len(customer.addresses),
        "attribute_count": 0,
        "authentication": {"force_password_reset": False},
        "addresses": [
            _address(customer, address, position)
            for position, address in enumerate(customer.addresses)
        ],
        "attributes": [],
        "form_fields": [],
        "store_credit_amounts": [{"amount": customer.store_credit}],
        "accepts_product_review_abandoned_cart_emails": True,
        "origin_channel_id": 1,
        "channel_ids": [1],
        "shopper_profile_id": None,
        "segment_ids": [],
    }


def _address(customer: Customer, address: Address, position: int) -> dict[str, Any]:
    return {
        "id": customer.id * 100 + position,
        "customer_id": customer.id,
        "first_name": address.first_name,
        "last_name": address.last_name,
        "company": address.company,
        "address1": address.street_1,
        "address2": address.street_2 or (f"Unit {position}" if position else ""),
        "city": address.city,
        "state_or_province": address.state,
        "postal_code": address.zip,
        "country": address.country,
        "country_code": address.country_iso2,
        "phone": address.phone,
        "address_type": "residential",
        "form_fields": [],
    }


_NAME = "(first_name || ' ' || last_name)"
_FILTERS: dict[str, Filter] = {
    "id:in": many("id", strict_number),
    "customer_group_id:in": many("customer_group_id", strict_number),
    **{f"{column}:in": many(column) for column in ("company", "email", "phone")},
    "name:in": many(_NAME),
    "name:like": compare(_NAME, "LIKE", lambda text: f"%{text}%"),
    **{
        f"date_{column}{way}": compare(column, sign, strict_moment)
        for column in ("created", "modified")
        for way, sign in (("", "="), (":min", ">="), (":max", "<="))
    },
}
_OTHERS = {"registration_ip_address:in", "include", "sort", "page", "limit", "after", "before"}


def _filter(call: Call) -> Condition:
    for name in call.query:
        if name not in _FILTERS.keys() | _OTHERS:
            raise Problem(422, errors={name: "is not a valid filter parameter"})
    for part in filter(None, call.query.get("include", "").split(",")):
        if part.strip() not in _INCLUDES:
            raise Problem(422, errors={"include": f"{part} is not valid"})
    return where(call.query, _FILTERS)


def _sort(call: Call) -> tuple[str, bool]:
    asked = call.query.get("sort")
    if asked is None:
        return "id", False
    name, _, way = asked.partition(":")
    if name not in _SORTS or way not in {"", "asc", "desc"}:
        raise Problem(422, errors={"sort": "is not valid"})
    return _SORTS[name], way == "desc"


def _shown(call: Call, text: str) -> dict[str, Any]:
    document: dict[str, Any] = loads(text)
    included = {part.strip() for part in call.query.get("include", "").split(",")}
    for part in _INCLUDES.keys() - included:
        del document[_INCLUDES[part]]
    if call.switches["bc.channel_ids"] == "null":
        document["channel_ids"] = None
    if "addresses" in document:
        document["addresses"] = document["addresses"][:ADDRESSES_INCLUDED]
    return document


def list_customers(call: Call) -> Answer:
    """GET /v3/customers."""
    chosen, (column, backwards) = _filter(call), _sort(call)
    page = page_of(call)
    if call.query.get("after") or call.query.get("before"):
        return _by_cursor(call, chosen, column, page, backwards=backwards)
    way = "DESC" if backwards else "ASC"
    rows, told = rows_of(call, "bc_customers", chosen, f"{column} {way}, id {way}", page)
    meta: dict[str, Any] = {"pagination": told}
    if page.number == 1:
        more = told["total"] > len(rows)
        meta["cursor_pagination"] = _cursors(call, column, page, rows, more=more)
    return answer({"data": [_shown(call, row["document"]) for row in rows], "meta": meta})


def _by_cursor(
    call: Call, chosen: Condition, column: str, page: Page, *, backwards: bool
) -> Answer:
    after, before = call.query.get("after"), call.query.get("before")
    place, number = _read_cursor(after or before or "")
    forwards = bool(after) != backwards
    sign, way = (">", "ASC") if forwards else ("<", "DESC")
    rows = call.db.execute(
        f"SELECT * FROM bc_customers WHERE {chosen[0]} "  # noqa: S608  values are bound
        f"AND ({column}, id) {sign} (?, ?) ORDER BY {column} {way}, id {way} LIMIT ?",
        [*chosen[1], place, number, page.limit + 1],
    ).fetchall()
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    if before:
        rows.reverse()
    meta = {"cursor_pagination": _cursors(call, column, page, rows, more=more)}
    return answer({"data": [_shown(call, row["document"]) for row in rows], "meta": meta})


def _cursors(
    call: Call, column: str, page: Page, rows: list[sqlite3.Row], *, more: bool
) -> dict[str, Any]:
    start, end = (
        (
            base64.urlsafe_b64encode(json.dumps([row[column], row["id"]]).encode()).decode()
            for row in (rows[0], rows[-1])
        )
        if rows
        else (None, None)
    )
    links: dict[str, str] = {"current": link(call.query, limit=page.limit)}
    endless = call.switches["bc.customer_last_page"] == "count_0"
    if end and (more or endless):
        links["next"] = link(call.query, limit=page.limit, after=end)
    if start and (call.query.get("after") or call.query.get("before")):
        links["previous"] = link(call.query, limit=page.limit, before=start)
    return {
        "count": len(rows),
        "per_page": page.limit,
        "start_cursor": start,
        "end_cursor": end,
        "links": links,
    }


def _read_cursor(text: str) -> tuple[object, int]:
    try:
        place, number = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, binascii.Error) as unreadable:
        raise Problem(422, errors={"cursor": "is not valid"}) from unreadable
    return place, int(number)


def list_addresses(call: Call) -> Answer:
    """GET /v3/customers/addresses: all of them, where the embedded ones end at ten."""
    wanted = call.query.get("customer_id:in")
    rows = call.db.execute("SELECT id, document FROM bc_customers ORDER BY id").fetchall()
    addresses = [
        address
        for row in rows
        if wanted is None or str(row["id"]) in {part.strip() for part in wanted.split(",")}
        for address in loads(row["document"])["addresses"]
    ]
    return v3_list(call, addresses)
