"""Subscribers: how they join, what they choose, and how they leave.

Visitors subscribe by double opt-in: a form, an email, and a click. After that they use the link in their emails.
The operator adds, imports, suppresses and erases subscribers from the command line. In all cases
core/subscriber_status.py decides which status follows. store/ stores the data. This package sends no email: an
operation returns the email that should be sent, and the web application sends it.

Begin with `double_opt_in.py`, then read `self_service.py`.

Public modules:
    account         the link to a subscriber's data, which is sent to them when they ask for it
    address         addresses and names in the form in which they are stored
    address_change  changing a subscriber's address, with a confirmation at the new address
    bulk            the owner's actions on many people at once
    csv_cells       the contents of the cells of a subscriber file
    csv_columns     the meaning of the columns of a subscriber file
    csv_fields      the columns of a file that become tags, notes and fields
    csv_file        the rows of a file, and a first look at its columns
    csv_import      importing a CSV file
    csv_rows        converting the rows of a file to subscribers
    csv_status      what a file says about who must not get email
    csv_survey      what the operator must be asked about a file
    double_opt_in   subscribing with a form and a confirmation email
    edit            the owner's changes to one person: address, tags, fields, note
    export          exporting to CSV and JSON
    languages       language tags, and the names of languages in files
    manage          the operator's commands for single addresses: add, unsubscribe, suppress
    people_filter   the values in a form or a command that select some of the people
    policy          the project's settings for subscribers, and subscription emails
    privacy         exporting and deleting all data about a subscriber
    self_service    preferences, unsubscribing and coming back
    tokens          signed tokens that can only be used once

A file is opened by `csv_source`, read by `csv_file`, surveyed by `csv_survey` and then imported by `csv_import`.
"""

__all__ = [
    "account",
    "address",
    "address_change",
    "bulk",
    "csv_cells",
    "csv_columns",
    "csv_fields",
    "csv_file",
    "csv_import",
    "csv_rows",
    "csv_status",
    "csv_survey",
    "double_opt_in",
    "edit",
    "export",
    "languages",
    "manage",
    "people_filter",
    "policy",
    "privacy",
    "self_service",
    "tokens",
]
