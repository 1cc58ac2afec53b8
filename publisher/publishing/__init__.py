"""What a command or a tick of the scheduler does: from new posts to emails in the hands of a mail server.

Everything below this room (posts, site, newsletters, mail, subscribers, the store) is put to work here; nothing here
knows whether a command, the daemon or a web page asked for it. Each step can be repeated at any time: the database
knows what was done.

Begin with `publish`: plan the editions, render them, write them into the ledger. `deliver` sends what is in the
ledger. `tick` does both on schedule. Only the two modules of wiring turn configuration into objects.

wiring         the open project, its database and its build
mail_wiring    the transport, headers, keys, links and rules of email
new_project    create a project or a post
edition_plan   which editions would be created now, and from which posts
publish        plan, render and create editions; test emails
render         the renderer of planned editions
deliver        send what is unfinished
operations     approve, skip, hold, resume, retry, cancel
due_editions   which editions the schedules ask for now, and creating them
forecast       the next slots and what they will contain
tick           one look at the clock: create, send, do the chores
read_bounces   process bounce reports
project_check  everything that is wrong with a project
letter_check   the next emails and their findings
mail_doctor    what `mail doctor` examines and sends
"""

__all__ = [
    "deliver",
    "due_editions",
    "edition_plan",
    "forecast",
    "letter_check",
    "mail_doctor",
    "mail_wiring",
    "new_project",
    "operations",
    "project_check",
    "publish",
    "read_bounces",
    "render",
    "tick",
    "wiring",
]
