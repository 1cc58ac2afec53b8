"""An edition as an email: subject, preheader, HTML with inlined CSS, and plain text.

A letter is made once for each version of an edition, before any recipient is known. What differs from subscriber to
subscriber is left as marks (core.newsletter_models.Mark), which mail.message fills in for each message. Nothing here
opens a connection, reads a clock or touches the database. Begin with compose.py: it calls the other modules in order.

    compose              a letter from posts and templates, shortened where Gmail would cut it off
    web_version          its HTML as a page that anyone may read
    note                 the writer's note for one edition: letters/<newsletter>/<slot>.md
    subscription_notice  emails about a subscription, such as the confirmation, in the newsletter's design
    template_context     what the email templates see: letter, posts

The post's HTML goes through email_html and plain_text; CSS through css_parser and inline_css, the only user of
premailer.
"""

__all__ = ["compose", "note", "subscription_notice", "template_context", "web_version"]
