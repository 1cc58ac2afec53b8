"""Is mail from here set up well? What the DNS, the mail server and a received copy say, in plain words.

diagnosis.py   one thing that was looked at, and what to do about it
lookup.py      asking the DNS; the only user of dnspython
spf.py         who may send for a domain; its terms are in spf_terms.py, the walk through a record in
               spf_walk.py, and what ought to stand there instead in spf_advice.py
signatures.py  keys in the DNS against the private ones
dmarc.py       the policy, and whether SPF and DKIM speak for the sender's domain
hosts.py       where mail comes in, and the names of addresses
one_click.py   whether readers can leave with one click
greeting.py    what the mail server offers to a caller
examine.py     all of it, for one domain
received.py    what a receiver wrote into its copy
trial.py       the message that one sends to oneself

Everything but lookup, greeting and the reaching of one_click is pure but for the answers it asks for: an Ask
is a dictionary's get in tests, and a resolver's ask where it matters.
"""
