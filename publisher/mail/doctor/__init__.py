"""The mail doctor: makes the same checks as receivers, and says in plain words what to do.

`examine.examine` runs all checks for one domain, in the best order for fixing problems: SPF, DKIM, DMARC, MX, PTR, TLS
and one-click unsubscribing. Each check is a function that turns records into diagnoses. It queries the DNS through a
function passed to it: in use a resolver's method, in tests a look-up in a dictionary. Only the resolver, the TLS check
and the request to the web application do input and output.

Public modules:
    diagnosis   one finding: the problem, its consequences, and its solution
    examine     all checks for one domain
    received    the results that a receiver wrote into a received email
    resolver    DNS queries; loads dnspython
"""

__all__ = ["diagnosis", "examine", "received", "resolver"]
