"""The mail doctor: makes the same checks as receivers, and says in plain words what to do.

`examine.examine` runs all checks for one domain, in the best order for fixing problems: SPF, DKIM, DMARC, MX, PTR, TLS
and one-click unsubscribing. Each check is a function that turns records into diagnoses. It queries the DNS through a
function that it is given: a resolver's method in use, and a look-up in a dictionary in tests. Only the resolver, the
TLS check and the request to the web application do input and output.

Public modules:
    diagnosis   one finding: the problem, its consequences, and its solution
    examine     all checks for one domain
    received    the results that a receiver wrote into an email that arrived
    resolver    queries the DNS; loads dnspython
"""

__all__ = ["diagnosis", "examine", "received", "resolver"]
