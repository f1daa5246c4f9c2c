"""BigCommerce's Management API for one store, over the shop model of `connector_sandbox.seed`.

A request comes in by `access` (quota, store, token, scope), is answered by an `*_api` module, which
reads records from `repository` and renders them with a `*_documents` module. What the shop's owner
does comes in by `shop_routes`, is done by `control_panel`, told by `events`, waits in
`delivery_queue` and is delivered to hooks by `delivery`.

Control routes under `/_sandbox` (all JSON; a refusal is `{"error": words}` with 400 or 404):

    GET  truth[?order_id=N]              what the books should hold; see `seed.truth.expected`
         [&placed=amazon:net]            with this marketplace placed so
    POST shop/seed                       {orders, seed, month, only}: fill an empty shop
    POST shop/orders                     an order (or a list) as `seed.model.Order`, plus `pay`
    GET  shop/orders/N                   the order as entered, its truth, the ids of its parts
    POST shop/orders/N/status            {status_id}
    POST shop/orders/N/edit              any fields of the order
    POST shop/orders/N/lines             {lines, keep_discounts}: discounts go, as with a PUT
    POST shop/orders/N/capture           {amount} or {} for the rest
    POST shop/orders/N/transactions      a transaction, as it is
    POST shop/orders/N/refund            `seed.changes.RefundRequest`, e.g. {"everything": true}
    POST shop/orders/N/decline_refund    {refund_id}: no date moves, no hook tells
    POST shop/orders/N/cancel, archive   {}
    POST shop/orders/N/touch             {modified} or {} for now
    POST shop/customers[/N]              a `seed.model.Address`; with N: fields to change
    POST shop/products/N                 fields to change; DELETE works for both
    POST shop/tokens                     {token, scopes, client_id, client_secret}
    PUT  shop/mischief                   `delivery_queue.DeliveryFaults`: dropped, doubled, late ...
    POST shop/forge                      {order_id, forgery}: one of `delivery_queue.Forgery`
    GET  shop/deliveries                 every delivery and how it stands
"""
