"""The types, errors and small tools that every other package may use.

Nothing here knows a project, a database or the network, and nothing here imports from another package of the program.
Code that only one package needs belongs in that package. Begin reading with models.py and newsletter_models.py, which
define the types that the rest of the program passes around.

Public modules:
    action_kinds         the kinds of actions in the log of actions
    atomic_write         writes a file completely or not at all, and removes what killed processes have left
    bounce_report        the meaning of a bounce or complaint, and the subscriber it is about
    characters           characters as a reader sees them
    errors               the tree of exceptions
    file_names           names of files in either Unicode form
    frozen               frozen dataclasses that are quick to define
    hold_reasons         why an edition is on hold, and who put it there
    host_id              the identity of this host
    i18n                 fixed texts in other languages
    listing              the files of a project as one walk finds them
    logging              the log of a long-running process
    mime                 parsing of messages and forms that strangers wrote
    models               posts, and problems with them
    newsletter_models    editions, letters, subscribers, deliveries
    patterns             regular expressions that are compiled when they are first used
    personal_marks       marks for a recipient's data, and rules about it
    personal_syntax      how a writer types these marks
    personal_templates   the same in email templates
    private_folder       folders that only their owner can read, and that git leaves out
    segment_conditions   conditions on subscribers as a tree
    segment_language     the language of these conditions, which define segments
    signing              signatures and hashes with the project's secret
    source_models        feeds of other sites as they were read
    source_records       what the database knows about the feeds of other sites
    subscriber_fields    tags, and the project's own fields of subscribers
    subscriber_status    the table of subscriber events and statuses
    subscription_status  the table of subscription events and statuses
    templates            Jinja2 templates: the shipped ones and the project's own
"""

__all__ = [
    "action_kinds",
    "atomic_write",
    "bounce_report",
    "characters",
    "errors",
    "file_names",
    "frozen",
    "hold_reasons",
    "host_id",
    "i18n",
    "listing",
    "logging",
    "mime",
    "models",
    "newsletter_models",
    "patterns",
    "personal_marks",
    "personal_syntax",
    "personal_templates",
    "private_folder",
    "segment_conditions",
    "segment_language",
    "signing",
    "source_models",
    "source_records",
    "subscriber_fields",
    "subscriber_status",
    "subscription_status",
    "templates",
]
