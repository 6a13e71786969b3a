# SPDX-License-Identifier: Apache-2.0
"""Attacks on a bridge: what the README of the bridge says becomes of each is asserted here."""

import itertools
import socket
import struct
import zlib

from attacked import Attacker
from websocket import CUT, MASK, PING, TEXT, WebSocket, frame, handshake, message

CONTINUATION, PONG = 0, 10
FRAME_BYTES = 16 * 1024
BURST = 20  # messages at once
SLOW_BYTES = 4096  # what the kernel of a slow reader keeps
PATIENCE_SECONDS = 15  # of the bridge with a request that is not finished: 10
SENDS = 40  # of what is sent without end, until the server ends it
_sources = itertools.count()


def source():
    """An address that has not attacked yet, or not for long."""
    number = next(_sources)
    return f"127.1.{number // 250 % 250}.{1 + number % 250}"


def crowd(count, each=20):
    """Addresses for so many connections, some of each."""
    addresses = [source() for _ in range(-(-count // each))]
    return [addresses[number // each] for number in range(count)]


def inflated(size):
    """A message of spaces that deflate makes small."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    whole = squeezer.compress(b" " * size) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    return whole[:-4]


def bomb(target):
    """Messages that inflate to 50 MB, in one frame and in several."""
    whole = inflated(50_000_000)
    pieces = [whole[begin:begin + 8_000] for begin in range(0, len(whole), 8_000)]
    in_pieces = b"".join(
        frame(TEXT if number == 0 else CONTINUATION, piece, fin=piece is pieces[-1],
              rsv=4 if number == 0 else 0, mask=MASK) for number, piece in enumerate(pieces))
    for attack in (in_pieces, frame(TEXT, inflated(15_000_000), rsv=4, mask=MASK)) * 10:
        with WebSocket(target.port, source(), target.key,
                       Sec_WebSocket_Extensions="permessage-deflate") as attacker:
            is_agreed = "permessage-deflate" in attacker.head
            attacker.send(attack)
            ended = attacker.end()
            assert ended == (1009 if is_agreed else 1002), ended


def large_frames(target):
    """16 MB announced, and a part of it sent; by a head with, and one without a key."""
    for key in (target.key, "") * 10:
        with WebSocket(target.port, source(), key) as attacker:
            attacker.send(frame(TEXT, bytes(60_000), mask=MASK, size=16_000_000, width=64))
            attacker.send(*[bytes(60_000)] * 16)
            ended = attacker.end()
            assert ended in (1009, CUT), ended  # what was sent behind may cut it


def padded(begin, filler, end):
    """JSON of as many bytes as a frame may have."""
    count = (FRAME_BYTES - len(begin) - len(end)) // len(filler)
    return (begin + filler * count + end).encode()


def many(begin, make, end):
    """As padded(), of parts that differ."""
    parts, size = [], len(begin) + len(end)
    for number in itertools.count():
        part = make(number)
        size += len(part) + 1
        if size > FRAME_BYTES:
            return (begin + ",".join(parts) + end).encode()
        parts.append(part)


JSON_BOMBS = [
    padded("", "[", ""), padded("", '{"a":', ""), padded('{"type":"Ping","x":[', "[],", "[]]}"),
    many('{"type":"Ping",', lambda number: f'"{number:x}":1', "}"),
    padded('{"type":"Ping","data":{"timestamp":', "9", "}}"),
    padded('{"type":"Ping","data":{"timestamp":1e', "9", "}}"),
    padded('{"type":"Ping","id":"', "\\u00e9", '"}'),
    many('{"type":"Subscribe","data":{"channels":[', lambda number: f'"meter:{number:x}"', "]}}"),
    many('{"type":"Subscribe","data":{"meters":[', lambda number: f'"{number:x}"', "]}}"),
    padded('{"type":"Authenticate","data":{"token":"', "a", '"}}'),
]


def json_bombs(target):
    """Messages that are hard to read, by sessions with and without a key, over the rate."""
    for key, bomb_text in itertools.product((target.key, ""), JSON_BOMBS):
        for _ in range(3):
            with WebSocket(target.port, source(), key) as attacker:
                attacker.send(*[frame(TEXT, bomb_text, mask=MASK)] * (3 * BURST))
                ended = attacker.end()
                # A credential that is wrong ends it as well.
                assert ended in (4429, 4401, CUT), (ended, bomb_text[:40])


def flood(target, kind, payload, count, reads):
    frames = frame(kind, payload, mask=MASK) * count
    attackers = [WebSocket(target.port, address, target.key, 0 if reads else SLOW_BYTES)
                 for address in crowd(20)]
    alive = list(attackers)
    for _ in range(SENDS):
        alive = [attacker for attacker in alive if attacker.send(frames)]
        for attacker in alive if reads else []:
            attacker.socket.setblocking(False)
            try:
                while attacker.more():
                    attacker.buffer.clear()
            except BlockingIOError:
                pass
            attacker.socket.settimeout(5)
    for attacker in attackers:
        attacker.socket.close()
    return len(alive)


def ping_flood(target):
    """Pings and pongs as fast as can be, by those who read the pongs and those who do not."""
    for kind, payload, reads in ((PING, b"", False), (PING, bytes(125), False),
                                 (PING, b"", True), (PONG, bytes(125), False)):
        flood(target, kind, payload, 1_000, reads)


def slow_readers(target):
    """Sessions that hear everything, from the beginning, and read nothing or a byte a time."""
    attackers = [WebSocket(target.port, address, target.key, SLOW_BYTES)
                 for address in crowd(40, 10)]
    for attacker in attackers:
        attacker.send(message("Subscribe", event_types=[], start="beginning"))
    for _ in range(5):
        target.wait_for_deliveries(40)
        for attacker in attackers[::2]:
            attacker.socket.recv(1)
    for attacker in attackers:
        attacker.socket.close()


def deaf_pages(target):
    """Requests for large pages whose answers nobody reads."""
    pages = ("/dygraph.min.js", "/dashboard.css", "/metrics", "/client.js")
    attackers = [Attacker(target.port, address, SLOW_BYTES) for address in crowd(1_200, 60)]
    for number, attacker in enumerate(attackers):
        attacker.send(f"GET {pages[number % 4]} HTTP/1.1\r\nHost: x\r\n"
                      f"X-Api-Key: {target.key}\r\n\r\n".encode())
    target.wait_for_deliveries(100)
    for attacker in attackers:
        attacker.socket.close()


def slow_handshakes(target):
    """More than the bridge takes, that say nothing, or a request byte by byte."""
    request = handshake()
    attackers = []
    for number, address in enumerate(crowd(2_000, 60)):
        attacker = Attacker(target.port, address)
        attackers.append(attacker)
        if number % 3:
            attacker.send(request[:60] if number % 3 == 1 else
                          request[:-2] + b"X: " + b"y" * 15_000)
    for turn in range(3):
        target.wait_for_deliveries(40)
        for attacker in attackers[1::3]:
            attacker.send(request[60 + turn:61 + turn])
    if target.is_patient:
        assert all(attacker.is_cut(PATIENCE_SECONDS) for attacker in attackers)
    for attacker in attackers:
        attacker.socket.close()


def one_address(target):
    """25 sessions of one address: it may have 20."""
    address = source()
    attackers = [WebSocket(target.port, address, target.key) for _ in range(25)]
    statuses = [attacker.status for attacker in attackers]
    assert statuses == [101] * 20 + [429] * 5, statuses
    for attacker in attackers:
        attacker.socket.close()


def anonymous_sessions(target):
    """More than the bridge takes, that never tell who they are; it ends them, if we wait for it."""
    attackers = [WebSocket(target.port, address) for address in crowd(target.connections)]
    statuses = {attacker.status for attacker in attackers}
    assert statuses == {101, 503}, statuses
    target.wait_for_deliveries(60)
    for attacker in attackers:
        attacker.socket.close()


def fragment_flood(target):
    """A message in 16,384 fragments; empty fragments without end; pings between them."""
    text = padded('{"type":"Ping"', " ", "}")
    pieces = [frame(TEXT if index == 0 else CONTINUATION, text[index:index + 1],
                    fin=index + 1 == len(text), mask=MASK) for index in range(len(text))]
    with WebSocket(target.port, source(), target.key) as attacker:
        attacker.send(*pieces)
        attacker.read_until("Pong")
    attackers = [WebSocket(target.port, address, target.key, SLOW_BYTES) for address in crowd(20)]
    empty = frame(CONTINUATION, b"", fin=False, mask=MASK)
    between = (empty * 9 + frame(PING, b"x", mask=MASK)) * 500
    for number, attacker in enumerate(attackers):
        attacker.send(frame(TEXT, b"", fin=False, mask=MASK))
        for _ in range(SENDS // 2):
            if not attacker.send(empty * 5_000 if number % 2 else between):
                break
    for attacker in attackers:
        attacker.socket.close()


def message_flood(target):
    """Messages over the rate: refused, then ended; and history asked for again and again."""
    flood_of_pings = [message("Ping", number) for number in range(1_000)]
    for _ in range(20):
        with WebSocket(target.port, source(), target.key) as attacker:
            attacker.send(*flood_of_pings)
            heard = []
            ended = attacker.end(heard)
            assert heard == ["RATE_LIMIT_EXCEEDED"] * len(heard), heard
            assert ended == 4429, ended
    attackers = [WebSocket(target.port, address, target.key) for address in crowd(100)]
    for attacker in attackers:
        attacker.send(*[message("Subscribe", event_types=[], start="beginning") +
                        message("Unsubscribe")] * (BURST // 2))
    target.wait_for_deliveries(100)
    for attacker in attackers:
        attacker.socket.close()


def requests(target, texts, each=60):
    """Each by a connection of its own, whose answer nobody waits for."""
    open_ones = []
    for text, address in zip(texts, crowd(len(texts), each)):
        try:
            attacker = Attacker(target.port, address)
        except OSError:
            continue
        attacker.send(text)
        open_ones.append(attacker)
        if len(open_ones) == 50:
            open_ones.pop(0).socket.close()
    for attacker in open_ones:
        attacker.socket.close()


def credential_flood(target):
    """Upgrades with credentials that are wrong, and tickets asked for by a good key and a bad."""
    requests(target, [handshake(Authorization="Bearer " + "x" * 8_000),
                      handshake(X_Api_Key="wm_AAAAAAAA_" + "x" * 40)] * 1_000)
    ticket = "POST /ws/ticket HTTP/1.1\r\nHost: x\r\nX-Api-Key: {}\r\n\r\n"
    requests(target, [ticket.format(key).encode() for key in (target.key, "wm_no")] * 500)


HOST = b"Host: x\r\n"
# What is wrong, and how it is answered; 0: we do not wait for it.
JUNK = [
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 0),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4_000 + b"\r\n", 431),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
    (b"POST /ws/ticket HTTP/1.1\r\n" + HOST + b"Content-Length: 999999999999\r\n\r\n", 413),
    (b"POST /ws/ticket HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 413),
    (b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked"
     b"\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n" + (b"GET /healthz HTTP/1.1\r\n" + HOST +
                                                     b"\r\n") * 1_000, 200),
    (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    (b"BREW / HTCPCP/1.0\r\n\r\n", 400),
    (b"\r\n" * 1_000, 400),
    (bytes(20_000), 0),
]


def junk(target):
    """What is no proper HTTP, and storms of connections that are reset or half closed."""
    for _ in range(5):
        for text, status in JUNK:
            with Attacker(target.port, source()) as attacker:
                attacker.send(text)
                try:
                    answer = attacker.socket.recv(65536) if status else b""
                except ConnectionError:  # it was cut while it wrote
                    answer = b""
                assert not answer or status == int(answer.split()[1]), (text[:60], answer)
    for number, address in enumerate(crowd(3_000, 60)):
        try:
            attacker = Attacker(target.port, address)
        except OSError:
            continue
        if number % 2:
            attacker.send(handshake()[:100])
        if number % 3:
            attacker.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        attacker.socket.close()
    half = [WebSocket(target.port, address, target.key) for address in crowd(60)]
    for attacker in half:
        attacker.socket.shutdown(socket.SHUT_WR)
        assert attacker.end() == CUT
        attacker.socket.close()


ATTACKS = [bomb, large_frames, json_bombs, ping_flood, slow_readers, deaf_pages, slow_handshakes,
           anonymous_sessions, one_address, fragment_flood, message_flood, credential_flood, junk]
