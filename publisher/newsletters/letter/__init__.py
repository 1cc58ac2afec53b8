"""An edition as an email: subject, preheader, HTML with inlined CSS, and plain text.

A letter is composed once for each version of an edition, before any recipient is known. Text that differs from
subscriber to subscriber is left as marks (core.newsletter_models.Mark), which mail.message fills in for each message.
Nothing here opens a connection, reads a clock or touches the database. Begin with compose.py, which calls the other
modules in order.

Public modules:
    compose              composes a letter from posts and templates, and shortens it if Gmail would cut it off
    web_version          turns the letter's HTML into a page that anyone may read
    own_text             the text of an email without posts: letters/<newsletter>/<name>.md
    note                 the writer's note for one edition: letters/<newsletter>/<slot>.md
    personal             texts that address each subscriber, such as {{ subscriber.name }}
    subscription_notice  emails about a subscription, such as the confirmation, in the newsletter's design
    template_context     the variables of the email templates: letter and posts

The HTML of posts goes through email_html and plain_text. CSS goes through css_parser and inline_css, which is the only
user of premailer.
"""

__all__ = ["compose", "note", "own_text", "personal", "subscription_notice", "template_context", "web_version"]
