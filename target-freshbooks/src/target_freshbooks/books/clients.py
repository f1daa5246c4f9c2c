"""FreshBooks clients: whom an invoice is for.

A registered customer is known by the customer id, however often name or e-mail change; a guest by
the e-mail of the billing address, compared without regard to case (a `+tag` is part of the
address). An order with neither goes to the `generic_client` of the settings, or waits for one to be
named: FreshBooks wants a client on every invoice, and inventing one would scatter the books. With
`client_mode` `one` all orders go to that client, since FreshBooks' plans count clients.

The invoice keeps its own copy of name and address, so a client that changes later rewrites no
history.
"""

from dataclasses import replace
from typing import Any

from target_freshbooks.books.desired import ClientDraft, Parked, Reason
from target_freshbooks.books.exemption import vat_number, vat_number_of
from target_freshbooks.books.policy import GenericClient, Policy
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.shop.facts import Address, Customer, Order, OrderFacts


def client_for(facts: OrderFacts, policy: Policy) -> ClientDraft | Parked:
    """The client of the order, or why there is none."""
    order, customer = facts.order, facts.customer
    if policy.client_mode == "one":
        return _generic_client(policy.generic_client or GenericClient(""), order.currency)
    address = cleaned(order.billing)
    email = spelt(address.email)
    if order.customer_id and customer is not None:
        email = spelt(customer.email) or email
        address = _named_after(customer, address)
    if email:
        key = f"customer:{order.customer_id}" if order.customer_id else email_key(email)
        vat = _vat(vat_number_of(facts, policy), policy.vat_number_field)
        return ClientDraft(key, email, replace(address, email=email), order.currency, vat)
    generic = policy.generic_client
    if generic is None:
        return Parked(
            Reason.NO_CLIENT,
            f"Order {order.id} has no e-mail address, so its client cannot be told.",
            "Enter an e-mail in the order's billing address in the shop, or set generic_client to"
            " the client that such orders go to; then replay the order.",
        )
    return _generic_client(generic, order.currency)


def _generic_client(generic: GenericClient, currency: str) -> ClientDraft:
    organization = clean(generic.organization, FRESHBOOKS.address_length, "Shop customers")
    email = clean(generic.email, FRESHBOOKS.address_length)
    key = f"generic:{organization}"  # another name in the settings means another client
    return ClientDraft(key, email, Address(company=organization), currency)


def billing_of(order: Order, policy: Policy) -> Address:
    """Whom the invoice is made out to: the shopper, whoever the client is.

    FreshBooks takes from the client what is left empty. Where all orders have one client, the
    shopper's name stands in the place of that client's organisation.
    """
    address = cleaned(order.billing)
    if policy.client_mode == "customer" or address.company:
        return address
    named = f"{address.first_name} {address.last_name}".strip() or address.email
    return replace(address, company=clean(named, FRESHBOOKS.address_length))


def _vat(number: str, field: str) -> tuple[str, str] | None:
    return (clean(field, FRESHBOOKS.address_length), number) if number else None


def client_of_customer(customer: Customer, currency: str, field: str = "") -> ClientDraft | None:
    """The client of a customer record by itself; None where it has no e-mail.

    Args:
        customer: The record.
        currency: In which the client is to be invoiced; empty where that is not told.
        field: Name of the form field with the VAT number.
    """
    email = spelt(customer.email)
    if not email:
        return None
    address = _named_after(customer, cleaned(customer.address or Address()))
    vat = _vat(vat_number(customer.form_fields, field=field), field)
    key = f"customer:{customer.id}"
    return ClientDraft(key, email, replace(address, email=email), currency, vat)


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
    body = client_body(draft)
    address = draft.address
    called = address.company or f"{address.first_name} {address.last_name}".strip()
    nameless = {name: value for name, value in body.items() if name not in {"fname", "lname"}}
    forms = [body]
    if nameless != body:
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
    """The address under the customer's own name and company where the record has them."""
    return replace(
        address,
        first_name=clean(customer.first_name, FRESHBOOKS.address_length) or address.first_name,
        last_name=clean(customer.last_name, FRESHBOOKS.address_length) or address.last_name,
        company=clean(customer.company, FRESHBOOKS.address_length) or address.company,
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
        email=clean(address.email, FRESHBOOKS.address_length),
    )


def client_body(draft: ClientDraft) -> dict[str, Any]:
    """The client as FreshBooks takes it (clients reference); what is empty is left out.

    Phone numbers are not sent: bookkeeping has no use for them.

    Without a company `organization` stays out too: FreshBooks fills it in itself.
    """
    address = draft.address
    body = {
        "fname": address.first_name,
        "lname": address.last_name,
        "organization": address.company,
        "email": draft.email,
        "p_street": address.street_1,
        "p_street2": address.street_2,
        "p_city": address.city,
        "p_province": address.state,
        "p_code": address.zip,
        "p_country": address.country,
        "currency_code": draft.currency,
        "vat_name": draft.vat[0] if draft.vat else "",
        "vat_number": draft.vat[1] if draft.vat else "",
    }
    return {name: value for name, value in body.items() if value}
