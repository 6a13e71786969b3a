# SPDX-License-Identifier: Apache-2.0
"""Cases of the opening handshake: requests, and the status that answers them.

101 must be a proper answer that leads to a session that works. Everything else must be an error of
the bridge's own kind, and the end of the connection.
"""

import base64
import json
from collections import namedtuple

from case import command, echo, message, pieces
from wire import CLOSE, KEY, PING, TEXT, accept_of, close, frame, handshake

# `chunks`: as in Case. `protocol`: the subprotocol of the answer. `key`: of the request. `heard`:
# of what the request brings along; the session is closed then. `extensions`: of the answer.
Opening = namedtuple("Opening", "name chunks status protocol key heard extensions",
                     defaults=(None, KEY, None, None))
SPOKEN = "wattmint.v1.json"


def asked(name, status, protocol=None, key=KEY, extensions=None, **shape):
    if key != KEY:
        shape["Sec_WebSocket_Key"] = key
    return Opening(name, [handshake(**shape)], status, protocol, key, extensions=extensions)


def with_line(line):
    """A handshake with one more line."""
    return handshake().replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")


def accepted():
    """Requests that say the same in other words, or more than they must."""
    yield asked("the plain one", 101)
    yield Opening("one byte a write", pieces(handshake(), 1), 101)
    yield Opening("two writes, cut within the end", [handshake()[:-3], handshake()[-3:]], 101)
    yield Opening("two writes, cut within a name", [handshake()[:40], handshake()[40:]], 101)
    for name in ("WebSocket", "WEBSOCKET", "websocket, h2c", "h2c, websocket", " websocket "):
        yield asked(f"Upgrade: {name}", 101, Upgrade=name)
    for name in ("upgrade", "UPGRADE", "keep-alive, Upgrade", "Upgrade, keep-alive",
                 "keep-alive,upgrade"):
        yield asked(f"Connection: {name}", 101, Connection=name)
    lower = handshake().split(b"\r\n")
    lower = b"\r\n".join([lower[0], *(line.replace(b"Sec-WebSocket", b"sec-websocket") for line in
                                      lower[1:])])
    yield Opening("names in lower case", [lower], 101)
    yield Opening("no blank behind colons", [handshake().replace(b": ", b":")], 101)
    yield Opening("many blanks behind colons", [handshake().replace(b": ", b":  \t ")], 101)
    for byte in (0x00, 0xff, 0xfb):
        key = base64.b64encode(bytes([byte] * 16)).decode()
        yield asked(f"the key {key}", 101, key=key)
    for extensions in ("x-unknown; a=\"b\", bbf", ";;;", "\"", ","):
        yield asked(f"Sec-WebSocket-Extensions: {extensions}", 101,
                    Sec_WebSocket_Extensions=extensions)
    for offered in (SPOKEN, f"chat, {SPOKEN}", f"{SPOKEN}, chat", f" {SPOKEN} ,chat",
                    f",{SPOKEN},"):
        yield asked(f"Sec-WebSocket-Protocol: {offered}", 101, SPOKEN,
                    Sec_WebSocket_Protocol=offered)
    # RFC 7230 would have these refused: websocketpp has them forgotten before we can see them.
    for name, line in (("a header without a name", b": x"), ("a blank before a colon", b"X : z")):
        yield Opening(name, [with_line(line)], 101)
    yield asked("an origin", 101, Origin="https://example.org")
    for encoding in ("wattmint.v1.flat", "wattmint.v1.proto"):
        yield asked(f"Sec-WebSocket-Protocol: {encoding}, {SPOKEN}", 101, encoding,
                    Sec_WebSocket_Protocol=f"{encoding}, {SPOKEN}")
    yield asked("a cookie", 101, Cookie="a=b; c=d")
    yield asked("a query", 101, target="/ws?a=b&c")
    yield asked("an empty query", 101, target="/ws?")
    yield asked("an absolute target", 101, target="http://localhost/ws")
    yield asked("a port in Host", 101, Host="localhost:8080")
    yield asked("IPv6 in Host", 101, Host="[::1]:8080")
    yield asked("50 unknown headers", 101, **{f"X_Unknown_{n}": "value" for n in range(50)})
    yield asked("a header of 8 KiB", 101, X_Long="x" * 8_192)
    yield Opening("a message behind the request, in one write", [handshake() + message("early")],
                  101, heard=[echo("early")])
    yield Opening("a message and a ping behind it, half in the same write",
                  [handshake() + message("early")[:9], message("early")[9:] + frame(PING, b"p")],
                  101, heard=[echo("early"), ("pong", b"p")])
    yield Opening("a message of 4 KiB behind it", [handshake() + frame(TEXT, command("e", 4_096))],
                  101, heard=[echo("e")])
    yield Opening("a close behind it", [handshake() + close(1000)], 101, heard=[("close", 1000)])
    yield Opening("a broken frame behind it", [handshake() + frame(CLOSE, rsv=1)], 101,
                  heard=[("close", 1002)])


def refused():
    """Requests that are no proper handshake."""
    for version in ("0", "1", "7", "8", "12", "14", "99", "-13", "013", "13.0", "x", "13, 8",
                    "13x"):
        yield asked(f"version {version}", 426, Sec_WebSocket_Version=version)
    yield asked("no version", 426, Sec_WebSocket_Version=None)
    yield asked("an empty version", 426, Sec_WebSocket_Version="")
    for name, key in (("no", None), ("an empty", ""), ("a short", "AAAAAAAAAAAAAAAAAAAA"),
                      ("a long", base64.b64encode(bytes(18)).decode()),
                      ("15 bytes of", base64.b64encode(bytes(15)).decode()),
                      ("17 bytes of", base64.b64encode(bytes(17)).decode()),
                      ("no base64 as", "!" * 22 + "=="), ("hexadecimal", "ab:" * 8),
                      ("one padding in", "A" * 23 + "="), ("no padding in", "A" * 24),
                      ("a blank in", "AAAAAAAAAAA AAAAAAAAAA=="), ("two of a", f"{KEY}, {KEY}")):
        yield asked(f"{name} key", 400, key=key)
    yield Opening("the key twice", [with_line(f"Sec-WebSocket-Key: {KEY}".encode())], 400)
    for method in ("POST", "HEAD", "PUT", "OPTIONS", "get", "X"):
        yield asked(f"method {method}", 400, method=method)
    for version in ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1x", "http/1.1", "HTTP", ""):
        yield asked(f"version {version!r} of HTTP", 400, version=version)
    yield asked("no Host", 400, Host=None)
    yield asked("an empty Host", 400, Host="")
    for name in (None, "", "h2c", "websockets", "xwebsocket", "web socket", "websocket/13"):
        yield asked(f"Upgrade: {name}", 426, Upgrade=name)
    for name in (None, "", "close", "keep-alive", "upgraded", "no-upgrade", "up grade"):
        yield asked(f"Connection: {name}", 426, Connection=name)
    for offered in ("chat", "chat, superchat", "WATTMINT.V1.JSON", "wattmint.v2.json",
                    "wattmint.bearer.x"):
        yield asked(f"Sec-WebSocket-Protocol: {offered}", 400, Sec_WebSocket_Protocol=offered)
    for target in ("/", "/ws/", "/WS", "/ws2", "/healthz", "/%77s", "/../ws", "ws", "*"):
        yield asked(f"target {target}", 404, target=target)
    yield asked("20,000 bytes of headers", 431, X_Long="x" * 20_000)
    for name, line in (("no request line", b"\r\n"), ("one word", b"GET\r\n"),
                       ("two words", b"GET /ws\r\n"), ("a sign in it", b"G(T /ws HTTP/1.1\r\n"),
                       ("no method", b" /ws HTTP/1.1\r\n")):
        yield Opening(name, [line + b"Host: x\r\n\r\n"], 400)
    for name, line in (("a header without a colon", b"Host"), ("a blank in a name", b"X Y: z")):
        yield Opening(name, [with_line(line)], 400)


def answer_faults(case, answer):
    """What is wrong with the answer to the request of `case`."""
    headers = answer.headers
    if answer.status != case.status:
        yield f"the status {answer.status}"
    elif answer.status == 101:
        if headers.get("sec-websocket-accept") != accept_of(case.key):
            yield "Sec-WebSocket-Accept"
        if headers.get("upgrade", "").lower() != "websocket":
            yield "Upgrade"
        if headers.get("connection", "").lower() != "upgrade":
            yield "Connection"
        if headers.get("sec-websocket-extensions") != case.extensions:
            yield f"the extensions {headers.get('sec-websocket-extensions')}"
        if "sec-websocket-version" in headers:
            yield "a header that does not belong there"
        if headers.get("sec-websocket-protocol") != case.protocol:
            yield "Sec-WebSocket-Protocol"
    else:
        if answer.status == 426 and (headers.get("upgrade"), headers.get(
                "sec-websocket-version")) != ("websocket", "13"):
            yield "426 that does not say to what"
        if "sec-websocket-accept" in headers:
            yield "Sec-WebSocket-Accept of a refusal"
        expected = {"connection": "close", "x-content-type-options": "nosniff",
                    "cache-control": "no-store", "content-type": "application/json"}
        yield from (name for name, value in expected.items() if headers.get(name) != value)
        if headers.get("content-length") != str(len(answer.body)):
            yield "Content-Length"
        elif not {"code", "error"} <= json.loads(answer.body).keys():
            yield f"the body {answer.body!r}"
