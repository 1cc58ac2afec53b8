"""The webhooks of email providers: each request is proved to be the provider's, then becomes bounce reports.

A provider is one file with one function that takes a request and the setting that proves it, and returns reports or
raises WebhookError. webhook.py has what they share. Nothing here answers HTTP (web/webhooks.py does) or opens a
connection, except that SNS signs with a certificate that must be fetched from Amazon. To add a provider, add a file, a
table in config/bounces.py and a line in web/webhooks.py.

Public modules:
    mailgun, postmark, sendgrid, ses    one provider each
    webhook                             the request, and its refusal
"""

__all__ = ["mailgun", "postmark", "sendgrid", "ses", "webhook"]
