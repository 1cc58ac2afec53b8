"""What every other room may use: the nouns, the errors, and a few tools without a home of their own.

Nothing here knows a project, a database or the network, and no module of the project is imported from outside this
room. What only one room needs belongs in that room. Begin reading with models.py and newsletter_models.py: the types
that the rest of the program hands around.

Public modules:
    atomic_write        write a file whole or not at all
    bounce_report       what a bounce or a complaint means, and whom it is about
    errors              what can go wrong, as one tree
    hold_reasons        why an edition waits, and who stopped it
    host_id             which host this is
    i18n                fixed texts in other languages
    logging             the log of a long-lived process
    models              posts, and problems with them
    newsletter_models   editions, letters, subscribers, deliveries
    signing             signatures and hashes with the project's secret
    subscriber_status   which event leads to which status
    templates           Jinja2 templates, shipped and the project's own
"""

__all__ = [
    "atomic_write",
    "bounce_report",
    "errors",
    "hold_reasons",
    "host_id",
    "i18n",
    "logging",
    "models",
    "newsletter_models",
    "signing",
    "subscriber_status",
    "templates",
]
