"""The work of a command or a scheduler tick, from finding new posts to handing emails to a mail server.

This package uses all the packages below it (posts, site, newsletters, mail, subscribers, store). It does not know
whether a command, the daemon or a web page called it. Each step can be repeated at any time, because the database
records what has been done.

Begin with `publish`, which plans the editions, renders them and writes them into the ledger. `deliver` sends the
editions in the ledger. `tick` does both on schedule. Only the two wiring modules turn configuration into objects.

Public modules:
    wiring               the open project, its database and its build
    mail_wiring          the transport, headers, keys, links and rules for email
    adopt                a project for a blog that another tool makes, from the tool's own configuration
    adopt_feed           find the feed of a blog, and the values that a project takes from it
    new_project          create a project or a post
    site_generators      other generators in the same folder, and what they would publish
    edition_plan         plan which editions would be created now, and from which posts
    sample_editions      the edition that a newsletter sends next, whether or not it is due
    shared_drafts        links to drafts, for people who read them before they are published
    sent_files           notice edits that would send a post a second time
    recipients           who gets an edition: all subscribers of a newsletter, or those in a segment
    segment_check        find what is wrong with segments
    publish              plan, render and create editions; send test emails
    render               render planned editions
    backup               back up everything that exists nowhere else, and restore it
    deliver              send unfinished editions
    operations           approve, skip, hold, resume, retry or cancel an edition
    later_recipients     send an edition that is already made to more people
    due_editions         find the editions that are due now, and create them
    exports              turn posts from Ghost, WordPress and Substack into files
    exposure             private files that would leak through git, a site or an image
    fetch_sources        fetch the sources that are due, and record what their feeds say
    farewell             the email to people who have unsubscribed
    sequences            emails that welcome new subscribers, each at their own time
    source_slots         which sources are fetched before a slot, and how long an edition waits for them
    item_states          what becomes of each item of a source, and why
    email_views          what people see of emails without posts
    idle_reasons         why a newsletter has no edition now
    joining              hosts of one fleet that need not be confirmed
    forecast             the next slots (scheduled times) and what they will contain
    web_copies           the web versions of test emails
    source_check         find what makes a source unfit for a newsletter, or prevents fetching it
    source_views         what people see of the sources of a project
    tick                 create and send due editions, fetch sources, and do the chores
    try_feed             the email that a feed would make, without a project
    uncertain            the uncertain and failed messages of recent editions
    own_emails           find emails without posts, and plan those that are sent now
    private_files        find what is private in a project
    read_bounces         process bounce reports
    owner_alerts         email the owner about editions on hold and about problems
    source_hubs          subscribe to the hubs of sources, and receive their reports
    subscription_emails  send confirmations and other emails about a subscription
    project_check        find every problem in a project
    letter_check         check the next email of each newsletter
    page_check           check that the pages of the site can be made
    unused               find templates, tags and posts that have no effect
    waiting_files        files that the owner has sent, and that wait for a decision
    mail_doctor          collect what `mail doctor` examines, and send its test message
"""

__all__ = [
    "adopt",
    "adopt_feed",
    "backup",
    "deliver",
    "due_editions",
    "edition_plan",
    "email_views",
    "exports",
    "exposure",
    "farewell",
    "fetch_sources",
    "forecast",
    "idle_reasons",
    "item_states",
    "joining",
    "later_recipients",
    "letter_check",
    "mail_doctor",
    "mail_wiring",
    "new_project",
    "operations",
    "own_emails",
    "owner_alerts",
    "page_check",
    "private_files",
    "project_check",
    "publish",
    "read_bounces",
    "recipients",
    "render",
    "sample_editions",
    "segment_check",
    "sent_files",
    "sequences",
    "shared_drafts",
    "site_generators",
    "source_check",
    "source_hubs",
    "source_slots",
    "source_views",
    "subscription_emails",
    "tick",
    "try_feed",
    "uncertain",
    "unused",
    "waiting_files",
    "web_copies",
    "wiring",
]
