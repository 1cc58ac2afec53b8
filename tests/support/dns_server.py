"""A small DNS server on loopback, UDP and TCP, that answers from a table."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Table = Mapping[tuple[str, str], tuple[str, ...]]

# A record with one of these values makes the server fail, or send no answer.
FAIL, SILENT = "FAIL", "SILENT"


class _Asked(socketserver.BaseRequestHandler):
    """One query over UDP; an answer too long for the client is truncated, so that it asks again over TCP."""

    def handle(self) -> None:
        data, socket = self.request
        query = dns.message.from_wire(data)
        response = _answer(query, self.server.table)  # type: ignore[attr-defined]
        if response is None:
            return
        wire = response.to_wire(max_size=65_535)
        if len(wire) > max(query.payload, 512):
            response = dns.message.make_response(query)
            response.flags |= dns.flags.TC
            wire = response.to_wire(max_size=65_535)
        socket.sendto(wire, self.client_address)


class _AskedAtLength(socketserver.BaseRequestHandler):
    """One query over TCP (RFC 1035, 4.2.2)."""

    def handle(self) -> None:
        (length,) = struct.unpack("!H", self.request.recv(2, 0x100))
        response = _answer(dns.message.from_wire(self.request.recv(length, 0x100)), self.server.table)  # type: ignore[attr-defined]
        if response is not None:
            wire = response.to_wire(max_size=65_535)
            self.request.sendall(struct.pack("!H", len(wire)) + wire)


def _answer(query: dns.message.Message, table: Table) -> dns.message.Message | None:
    (question,) = query.question
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    records = table.get((name, kind), ())
    response = dns.message.make_response(query, recursion_available=True)
    if SILENT in records:
        return None
    if FAIL in records:
        response.set_rcode(dns.rcode.SERVFAIL)
    elif records:
        response.answer = [dns.rrset.from_text(question.name, 60, "IN", kind, *map(_whole, records, [kind] * 99))]
    elif all(known != name for known, _ in table):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response


def _whole(record: str, kind: str) -> str:
    """Return the record as in a zone file: names end with a dot, texts are quoted, in parts of 200 characters each."""
    if kind == "TXT":
        return " ".join(f'"{record[at : at + 200]}"' for at in range(0, max(len(record), 1), 200))
    return f"{record.rstrip('.')}." if kind in ("MX", "PTR") else record


@contextmanager
def dns_server(table: Table) -> Iterator[str]:
    """Answer from a table of (name, kind) until the block ends; yield "127.0.0.1:port"."""
    servers = _bound()
    for server in servers:
        server.table = table
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"127.0.0.1:{servers[0].server_address[1]}"
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _bound() -> list[Any]:
    """Return a UDP and a TCP server on the same port. A port that is free for one may be in use for the other."""
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    while True:
        udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _Asked)
        try:
            return [udp, socketserver.ThreadingTCPServer(("127.0.0.1", udp.server_address[1]), _AskedAtLength)]
        except OSError:
            udp.server_close()
