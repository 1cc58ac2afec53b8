"""SMTP (RFC 5321) and LMTP (RFC 2033) for sending editions over many connections at the same time.

Begin reading with protocol.py, which has the rules of one conversation without any input or output: replies go in, and
the bytes to send and the fates of messages come out. connection.py runs it over an asyncio transport, after aiosmtplib
has connected, encrypted and logged in. pool.py manages the connections to one server, within the limits of limits.py,
and notes its health (server_health.py). sending_loop.py gives messages from the queues of editions (edition_queue.py)
to the pools of all servers, and ledger_writer.py writes the answers. Only mail/smtp_transport.py and the doctor use
this package.
"""

__all__: list[str] = []
