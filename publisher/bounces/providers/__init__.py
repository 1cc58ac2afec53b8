"""The webhooks of email providers, which verify that a request comes from the provider and return its bounce reports.

Each provider has one file with one function. The function takes a request, and the key or secret that verifies it; it
returns reports or raises WebhookError. webhook_request.py contains the code that they share. The HTTP answer is sent by
web/webhooks.py. Nothing here opens a connection, except to fetch an Amazon SNS certificate or to confirm a subscription
there. To add a provider, add a file, a table in config/bounces.py and a line in web/webhooks.py.

Public modules:
    generic                             any other provider, through the owner's own script
    mailgun, postmark, sendgrid, ses    one provider each
    webhook_request                     the request, and the error for a refused request
"""

__all__ = ["generic", "mailgun", "postmark", "sendgrid", "ses", "webhook_request"]
