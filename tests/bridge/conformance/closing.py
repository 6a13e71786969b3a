# SPDX-License-Identifier: Apache-2.0
"""Cases of the closing handshake: codes, reasons, lengths, and what comes beside it."""

import struct

from case import BAD_FRAME, NOT_TEXT, Case, command, echo, fragments, message, pieces
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, close, frame

CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
         4401, 4999)
BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65535)


def closed(code):
    return "close", code


def codes():
    """Each that may be sent comes back; each other one breaks the frame."""
    for code in CODES:
        yield Case(f"{code}", [close(code)], [closed(code)])
        yield Case(f"{code} with a reason", [close(code, b"goodbye")], [closed(code)])
    for code in BAD_CODES:
        yield Case(f"{code}", [close(code)], [BAD_FRAME])
        yield Case(f"{code} with a reason", [close(code, b"goodbye")], [BAD_FRAME])


def payloads():
    """Nothing, half a code, reasons of all lengths and alphabets."""
    yield Case("no code", [close()], [closed(1000)])
    yield Case("no code, one byte a write", pieces(close(), 1), [closed(1000)])
    yield Case("half a code", [frame(CLOSE, b"\x03")], [BAD_FRAME])
    for size in (1, 2, 122, 123):
        yield Case(f"a reason of {size} bytes", [close(1000, b"r" * size)], [closed(1000)])
    yield Case("a reason, one byte a write", pieces(close(1000, b"goodbye"), 1), [closed(1000)])
    yield Case("a reason of 124 bytes", [close(1000, b"r" * 124)], [BAD_FRAME])
    yield Case("126 bytes, announced alone", [frame(CLOSE, size=126)], [BAD_FRAME])
    yield Case("70,000 bytes", [frame(CLOSE, b"\x03\xe8" + b"r" * 70_000)], [BAD_FRAME])
    yield Case("length in 16 bits", [frame(CLOSE, b"\x03\xe8", width=16)], [BAD_FRAME])
    yield Case("length in 64 bits", [frame(CLOSE, b"\x03\xe8", width=64)], [BAD_FRAME])
    for reason in ("κόσμε", "日本語", "\U0001f600" * 30, "a" + "é" * 61):
        yield Case(f"the reason {ascii(reason[:4])}", [close(1000, reason.encode())],
                   [closed(1000)])
    # RFC 6455 asks that the connection fail, and names no code.
    for code in ("ff", "c3", "ed a0 80", "6f 6b 80", "c0 af", "f4 90 80 80"):
        yield Case(f"the reason {code}", [close(1000, bytes.fromhex(code))], [BAD_FRAME])
    yield Case("in parts", [frame(CLOSE, b"\x03\xe8", fin=False)], [BAD_FRAME])
    yield Case("in parts, and the rest of it",
               [frame(CLOSE, b"\x03", fin=False), frame(CONTINUATION, b"\xe8")], [BAD_FRAME])


def order():
    """After a close of either side nothing is answered; before it everything is."""
    bye, done = close(1000), [closed(1000)]
    late = command("late")
    yield Case("a message before", [message("a") + bye], [echo("a"), *done])
    yield Case("a ping before", [frame(PING, b"p") + bye], [("pong", b"p"), *done])
    yield Case("ten messages before", [b"".join(message(f"{n}") for n in range(10)) + bye],
               [*(echo(f"{n}") for n in range(10)), *done])
    for name, chunk in (("a message", message("late")), ("a ping", frame(PING, b"late")),
                        ("a pong", frame(PONG)), ("another", close(1001)),
                        ("a binary message", frame(BINARY, b"x")), ("half a frame", b"\x81"),
                        ("a message in parts", b"".join(fragments(late, 9))),
                        ("what is no frame", b"GET / HTTP/1.1\r\n\r\n"), ("8 KiB", bytes(8_192))):
        yield Case(f"{name} behind, in one write", [bye + chunk], done)
        yield Case(f"{name} behind", [bye, chunk], done)
    first, last = fragments(late, 9)
    yield Case("within a message", [first, bye], done)
    yield Case("within a message, whose last part comes behind", [first, bye, last], done)
    yield Case("after a binary message, with another code", [frame(BINARY, b"x"), close(1001)],
               [NOT_TEXT])
    yield Case("after a binary message, with a bad code", [frame(BINARY, b"x"), close(1005)],
               [NOT_TEXT])
    yield Case("after a binary message, behind a broken frame",
               [frame(BINARY, b"x"), frame(PING, rsv=1), bye], [NOT_TEXT])
    yield Case("after a binary message, behind a ping", [frame(BINARY, b"x"), frame(PING), bye],
               [NOT_TEXT])
    yield Case("after a broken frame", [frame(3), bye], [BAD_FRAME])
    yield Case("the code's bytes are masked", [frame(CLOSE, struct.pack(">H", 4999),
                                                     mask=b"\xff\xff\xff\xff")], [closed(4999)])
