"""Singer tap for BigCommerce orders, with everything that belongs to them.

The way of the data: `streams.orders` asks `order_pages` for pages of orders in order of their
modification, `child_reader` and `refunds` bring what belongs to each order, `normalize` turns the
API's JSON into typed records, and only then is an order's own record written: it means "all of me
has been said". Every request goes through one `connection`, paced by one `rate_limiter`.
"""
