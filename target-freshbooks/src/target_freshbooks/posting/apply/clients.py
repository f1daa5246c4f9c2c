"""The clients of one run: found before they are made, made once, and changed only if ours."""

from collections.abc import Mapping
from typing import Any

from target_freshbooks.books import client_body, client_forms, email_key
from target_freshbooks.books.desired import ClientDraft
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.observed import ACTIVE, DELETED, ObservedClient
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.ledger import Link
from target_freshbooks.posting.apply import ownership
from target_freshbooks.posting.apply.deleted_clients import DeletedClients
from target_freshbooks.posting.apply.upsert import Upserts
from target_freshbooks.posting.apply.writer import client_links
from target_freshbooks.posting.digests import request_digest
from target_freshbooks.posting.plan.steps import StepKind

NAMING = frozenset({"fname", "lname", "organization", "email"})
"""The fields that FreshBooks makes user names of, which have to be unique."""

LATE = ("allow_late_notifications", "allow_late_fees")
"""What FreshBooks sends and charges by itself once an invoice is overdue."""

OF_ALL_CLIENTS = frozenset({RefusalKind.CLIENT_LIMIT, RefusalKind.NO_RIGHT})
"""A refusal to make one client that holds for any other: nobody asks again in the run."""


class ClientUpserts(Upserts):
    """Finds, makes and changes clients."""

    CREATION = StepKind.CREATE_CLIENT

    def __init__(
        self,
        *parts: Any,  # noqa: ANN401 - as of all upserts
        deleted: DeletedClients,
        follow_emails: bool,
        reminders: bool,
    ) -> None:
        """Take over the parts.

        Args:
            parts: See `Upserts`.
            deleted: The clients that persons deleted.
            follow_emails: Whether a client that we made gets its shopper's new e-mail.
            reminders: Whether FreshBooks may remind the clients that we make, and charge late fees.
        """
        super().__init__(*parts)
        self._deleted = deleted
        self._follow_emails = follow_emails
        self._unasked = {} if reminders else dict.fromkeys(LATE, False)
        self._none_more: Refused | None = None

    def id_of(
        self, draft: ClientDraft, order_id: int | None, registered: ClientDraft | None
    ) -> int:
        """FreshBooks' id of the client, found by what the ledger knows, then by e-mail, else made.

        Args:
            draft: The client as the order needs it.
            order_id: The order, for the audit trail.
            registered: The client as the customer's own record has it now, if that is known: a
                later record that differs is a change to carry over.

        Raises:
            Refused: FreshBooks does not make it, or any other in this run.
        """
        baseline = None if registered is None else request_digest(client_body(registered))
        # By both, the customer first: of one customer's orders two may bear different e-mails.
        with (
            self._held("client", draft.key),
            self._held("client", _email_key(draft)),
        ):
            known = self._known(draft, baseline) or self._find_or_make(
                client_forms(draft),
                lambda body: self._standing(draft, body, baseline),
                lambda body: self._create(draft, body, order_id, baseline),
            )
            return known.remote_id

    def forget(self, draft: ClientDraft, gone: int) -> None:
        """Drop all links to a client that FreshBooks no longer has; not to one made since.

        Args:
            draft: The client as the order needs it.
            gone: FreshBooks' id of the client.
        """
        with (
            self._held("client", draft.key),
            self._held("client", _email_key(draft)),
        ):
            self._books.clients.forget()
            self._ledger.links.drop_remote("client", gone)

    # -- finding and making

    def _known(self, draft: ClientDraft, baseline: str | None) -> Link | None:
        link = self._link(draft.key)
        if link is None and draft.email:
            link = self._link(_email_key(draft))
            if link is not None:
                # A guest who registered, or says so: used from now on, but made for the guest.
                link = Link("client", draft.key, link.remote_id, content_hash=baseline)
                self._ledger.links.put(link)
        return link

    def _link(self, key: str) -> Link | None:
        """The link of the key, unless a person deleted its client: then it is dropped."""
        link = self._ledger.links.get("client", key)
        if link is None or not self._deleted.has(link.remote_id):
            return link
        self._ledger.links.drop_remote("client", link.remote_id)
        return None

    def _standing(
        self, draft: ClientDraft, body: Mapping[str, Any], baseline: str | None
    ) -> Link | None:
        """The link to a client that is there already; one just found is not ours."""
        self._finish(StepKind.CREATE_CLIENT, lambda sent: _same(sent, body))
        known = self._known(draft, baseline)
        if known is not None:
            return known
        client = self._found(body)
        if client is None:
            return None
        own = Link("client", draft.key, client.id, content_hash=baseline)
        for link in client_links(self._ledger, own, draft.email):
            self._ledger.links.put(link)
        return own

    def _found(self, body: Mapping[str, Any]) -> ObservedClient | None:
        clients, email = self._books.clients, body.get("email")
        cached = clients.cached_of_email(email) if email else []
        rows = cached or clients.matching(body)
        standing = [row for row in rows if row.vis_state != DELETED]
        return min(standing, key=lambda row: (row.vis_state != ACTIVE, row.id), default=None)

    def _create(
        self,
        draft: ClientDraft,
        body: Mapping[str, Any],
        order_id: int | None,
        baseline: str | None,
    ) -> Link:
        if self._none_more is not None:
            former = self._none_more
            raise Refused(former.operation, former.status, former.errors)

        def links(answer: ObservedClient) -> list[Link]:
            extra = ownership.made(answer)
            own = Link("client", draft.key, answer.id, content_hash=baseline, extra=extra)
            return client_links(self._ledger, own, draft.email)

        try:
            return self._make(
                StepKind.CREATE_CLIENT,
                draft.key,
                {**body, **self._unasked},
                order_id,
                links,
                baseline,
            )
        except Refused as refused:
            if classify(refused).kind in OF_ALL_CLIENTS:
                self._none_more = refused
            raise

    # -- changing

    def update(self, draft: ClientDraft) -> bool:
        """Carry a customer's own record over to the client made for that customer.

        Returns:
            Whether something was written.
        """
        with (
            self._held("client", draft.key),
            self._held("client", _email_key(draft)),
        ):
            link = self._ledger.links.get("client", draft.key)
            wanted = client_body(draft)
            content = request_digest(wanted)
            if link is None or link.content_hash == content:
                return False
            if not ownership.is_made(link):
                known = self._ledger.links.get("client", _email_key(draft))
                moved = known is None or known.remote_id != link.remote_id
                self._leave(link, content, {"email"} if moved else ())
                return False
            standing = self._books.clients.standing(link.remote_id)
            if standing is None:
                self.forget(draft, link.remote_id)
                return False
            if not standing.email:
                wanted.pop("organization", None)  # it is found again by that name
            kept = {"email"} if self._keeps_email(draft, link, standing) else set()
            return self._change(
                StepKind.UPDATE_CLIENT,
                link,
                standing,
                {name: value for name, value in wanted.items() if name not in kept},
                content,
                kept=kept,
                instead=_nameless,
                links=lambda answer, own: client_links(self._ledger, own, answer.email),
            )

    def _keeps_email(self, draft: ClientDraft, link: Link, standing: ObservedClient) -> bool:
        """Whether the client keeps an e-mail that is not the shopper's any more.

        Onto that of another client it is never moved: who has it then could not be told.
        """
        if draft.email == standing.email.casefold():
            return False
        if not self._follow_emails:
            return True
        known = self._ledger.links.get("client", _email_key(draft))
        if known is not None and known.remote_id != link.remote_id:
            return True
        body = client_body(draft)
        self._finish(StepKind.CREATE_CLIENT, lambda sent: _same(sent, body))
        return any(row.id != link.remote_id for row in self._books.clients.of_email(draft.email))


def _nameless(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What is left to write if FreshBooks refuses the name as another's."""
    return {name: value for name, value in wanted.items() if name not in NAMING}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    email = str(one.get("email", "")).casefold()
    if email or other.get("email"):
        return email == str(other.get("email", "")).casefold()
    return one.get("organization") == other.get("organization")


def _email_key(draft: ClientDraft) -> str:
    return email_key(draft.email) if draft.email else draft.key
