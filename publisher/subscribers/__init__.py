"""Subscribers: how they come in, what they choose, and how they leave.

Visitors subscribe by double opt-in: a form, an email, and a click. After that they use the link in their emails.
The operator adds, imports, suppresses and erases from the command line. Whatever they do, one module decides which
status follows: core/subscriber_status.py. The rows are in store/. Nothing here sends an email: an operation that wants
one returns it, and the web application sends it.

Begin with `double_opt_in.py`, then read `self_service.py`.

address          addresses, names and languages in the form in which they are stored
address_change   a new address, confirmed at the new address
csv_columns      what the columns and cells of a subscriber file mean
csv_import       importing a CSV file
double_opt_in    subscribing with a form and a confirmation email
export           exporting to CSV and JSON
manage           what the operator does: add, unsubscribe, suppress
policy           the project's settings for subscribers, and subscription emails
privacy          all data about a subscriber, and its deletion
self_service     preferences, unsubscribing and coming back
tokens           signed tokens that can be used once
"""

__all__ = [
    "address",
    "address_change",
    "csv_columns",
    "csv_import",
    "double_opt_in",
    "export",
    "manage",
    "policy",
    "privacy",
    "self_service",
    "tokens",
]
