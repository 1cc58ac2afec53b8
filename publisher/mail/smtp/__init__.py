"""SMTP (RFC 5321) and LMTP (RFC 2033) as the sender speaks them.

replies.py    bytes of a server -> its replies, and what an enhanced status code means
messages.py   what goes into a dialogue, and what comes out of it
dialogue.py   one connection's conversation, without any connection: replies in, bytes out, outcomes
line.py       a dialogue on an asyncio transport
connect.py    from settings to an open line: connection, encryption, login (the only user of aiosmtplib)
"""
