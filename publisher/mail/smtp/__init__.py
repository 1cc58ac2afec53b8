"""SMTP (RFC 5321) and LMTP (RFC 2033) for sending an edition over many connections at once.

Begin reading with protocol.py, which is one conversation without any input or output: replies go in, bytes to send and
the fates of messages come out. connection.py puts it on an asyncio transport, after aiosmtplib has connected, encrypted
and logged in. pool.py has the connections to one server, within the limits of limits.py. sending_loop.py gives the
pools of all servers their messages, and ledger_writer.py writes the answers. Only mail/smtp_transport.py and the doctor
use this package.
"""

__all__: list[str] = []
