"""Is email set up well? The doctor checks what receivers check, and says in plain words what to do.

`examine.examine` runs all checks for one domain, in the order in which problems are best fixed: SPF, DKIM, DMARC, MX,
PTR, TLS and one-click unsubscribing. Each check is a function from records to diagnoses; it asks the DNS through a
function, which is a dictionary's look-up in tests and a resolver's in use. Only the resolver, the check of TLS and the
request to the web application do input and output.

Public modules:
    diagnosis   one finding: what was found, what it means, what to do
    examine     all checks for one domain
    received    what a receiver wrote into an email that arrived
    resolver    asks the DNS; loads dnspython
"""

__all__ = ["diagnosis", "examine", "received", "resolver"]
