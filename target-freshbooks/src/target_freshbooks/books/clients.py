"""FreshBooks clients: whom an invoice is for.

A registered customer is known by the customer id, however often name or e-mail change; a guest by
the e-mail of the billing address, compared without regard to case (a `+tag` is part of the
address). An order with neither goes to the `generic_client` of the settings, or waits for one to be
named: FreshBooks wants a client on every invoice, and inventing one would scatter the books.

The invoice keeps its own copy of name and address, so a client that changes later rewrites no
history.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_freshbooks.books.capabilities import FRESHBOOKS
from target_freshbooks.books.desired import ClientDraft, Parked, Reason
from target_freshbooks.books.shop import Address
from target_freshbooks.books.text import clean

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import Customer, OrderFacts


def client_for(facts: OrderFacts, policy: Policy) -> ClientDraft | Parked:
    """The client of the order, or why there is none."""
    order, customer = facts.order, facts.customer
    address = cleaned(order.billing)
    email = spelt(address.email)
    if order.customer_id and customer is not None:
        email = spelt(customer.email) or email
        address = _named_after(customer, address)
    if email:
        key = f"customer:{order.customer_id}" if order.customer_id else email_key(email)
        return ClientDraft(key, email, replace(address, email=email), order.currency)
    generic = policy.generic_client
    if generic is None:
        return Parked(
            Reason.NO_CLIENT,
            f"Order {order.id} has no e-mail address, so its client cannot be told.",
            "Enter an e-mail in the order's billing address in the shop, or set generic_client to"
            " the client that such orders go to; then replay the order.",
        )
    organization = clean(generic.organization, FRESHBOOKS.address_length, "Shop customers")
    return ClientDraft(
        "generic",
        clean(generic.email, FRESHBOOKS.address_length),
        Address(company=organization),
        order.currency,
    )


def client_of_customer(customer: Customer, currency: str) -> ClientDraft | None:
    """The client of a customer record by itself; None where it has no e-mail."""
    email = spelt(customer.email)
    if not email:
        return None
    address = _named_after(customer, cleaned(customer.address or Address()))
    return ClientDraft(f"customer:{customer.id}", email, replace(address, email=email), currency)


def spelt(email: str) -> str:
    """The e-mail as FreshBooks gets it: in lower case, whatever the shopper typed.

    FreshBooks may search with regard to case, and one spelling is found again.
    """
    return clean(email, FRESHBOOKS.address_length).lower()


def email_key(email: str) -> str:
    """The ledger key of a guest."""
    return f"email:{email.casefold()}"


def client_forms(draft: ClientDraft) -> tuple[dict[str, Any], ...]:
    """The client as FreshBooks takes it, and what to try where it refuses that as taken.

    FreshBooks makes user names of e-mails and names and wants them unique, so that the second John
    Smith may be refused: he is made without first and last name, and failing that as an
    organisation alone, whose name holds the e-mail by which it is found again.
    """
    whole = client_body(draft)
    address = draft.address
    called = address.company or f"{address.first_name} {address.last_name}".strip()
    nameless = {name: value for name, value in whole.items() if name not in {"fname", "lname"}}
    forms = [whole]
    if nameless != whole:
        forms.append(nameless | {"organization": clean(called, FRESHBOOKS.address_length)})
    if draft.email:
        alone = {name: value for name, value in nameless.items() if name != "email"}
        forms.append(alone | {"organization": _with_email(called, draft.email)})
    return tuple(forms)


def _with_email(called: str, email: str) -> str:
    suffix = f" ({email})"
    room = FRESHBOOKS.address_length - len(suffix)
    return f"{clean(called, room)}{suffix}" if called and room > 0 else email


def _named_after(customer: Customer, address: Address) -> Address:
    """The address under the customer's own name, company and phone where the record has them."""
    return replace(
        address,
        first_name=clean(customer.first_name, FRESHBOOKS.address_length) or address.first_name,
        last_name=clean(customer.last_name, FRESHBOOKS.address_length) or address.last_name,
        company=clean(customer.company, FRESHBOOKS.address_length) or address.company,
        phone=clean(customer.phone, FRESHBOOKS.address_length) or address.phone,
    )


def cleaned(address: Address) -> Address:
    """The address with every text as FreshBooks takes it."""
    return Address(
        first_name=clean(address.first_name, FRESHBOOKS.address_length),
        last_name=clean(address.last_name, FRESHBOOKS.address_length),
        company=clean(address.company, FRESHBOOKS.address_length),
        street_1=clean(address.street_1, FRESHBOOKS.address_length),
        street_2=clean(address.street_2, FRESHBOOKS.address_length),
        city=clean(address.city, FRESHBOOKS.address_length),
        state=clean(address.state, FRESHBOOKS.address_length),
        zip=clean(address.zip, FRESHBOOKS.address_length),
        country=clean(address.country, FRESHBOOKS.address_length),
        phone=clean(address.phone, FRESHBOOKS.address_length),
        email=clean(address.email, FRESHBOOKS.address_length),
    )


def client_body(draft: ClientDraft) -> dict[str, Any]:
    """The client as FreshBooks takes it (clients reference); what is empty is left out.

    Without a company `organization` stays out too: FreshBooks fills it in itself.
    """
    address = draft.address
    body = {
        "fname": address.first_name,
        "lname": address.last_name,
        "organization": address.company,
        "email": draft.email,
        "bus_phone": address.phone,
        "p_street": address.street_1,
        "p_street2": address.street_2,
        "p_city": address.city,
        "p_province": address.state,
        "p_code": address.zip,
        "p_country": address.country,
        "currency_code": draft.currency,
    }
    return {name: value for name, value in body.items() if value}
