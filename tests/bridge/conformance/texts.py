# SPDX-License-Identifier: Apache-2.0
"""Cases of UTF-8. Text that arrives and is no JSON is answered; what is no UTF-8 ends the session.

Invalid bytes must be seen when they come, not at the end of the message.
"""

from case import BAD_TEXT, NO_COMMAND, Case, command, echo, fragments, pieces
from wire import CONTINUATION, PING, TEXT, frame

# Both ends of each length, both sides of the surrogates, and code points that are no characters.
POINTS = (0x01, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd7ff, 0xe000, 0xfdd0, 0xfdef,
          0xfeff, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x1fffe, 0x3ffff, 0x40000, 0xfffff, 0x100000,
          0x10fffe, 0x10ffff)
NAMES = ("κόσμε", "Grüße", "日本語", "\U0001f600", "e\u0301", "\u202eabc",
         "\U0001f469\u200d\U0001f52c", "\U0010ffff" * 16)
INVALID = (
    ("a byte of a continuation", "80"), ("another", "bf"), ("two of them", "80 bf"),
    ("a character that lacks a byte", "c3 28"), ("three bytes that lack one", "e2 82 28"),
    ("three bytes that lack two", "e2 28 a1"), ("four bytes that lack one", "f0 90 8c 28"),
    ("four bytes that lack two", "f0 90 28 bc"), ("four bytes that lack three", "f0 28 8c bc"),
    ("c0", "c0"), ("c1", "c1"), ("a slash in two bytes", "c0 af"), ("7f in two bytes", "c1 bf"),
    ("a slash in three bytes", "e0 80 af"), ("7ff in three bytes", "e0 9f bf"),
    ("a slash in four bytes", "f0 80 80 af"), ("ffff in four bytes", "f0 8f bf bf"),
    ("a NUL in two bytes", "c0 80"), ("a NUL in three bytes", "e0 80 80"),
    ("the first high surrogate", "ed a0 80"), ("the last high surrogate", "ed af bf"),
    ("the first low surrogate", "ed b0 80"), ("the last low surrogate", "ed bf bf"),
    ("a pair of surrogates", "ed a0 bd ed b8 80"), ("110000", "f4 90 80 80"),
    ("13ffff", "f4 bf bf bf"), ("140000", "f5 80 80 80"), ("f8", "f8 88 80 80 80"),
    ("fc", "fc 84 80 80 80 80"), ("fe", "fe"), ("ff", "ff"), ("the mark of UTF-16", "fe ff"),
    ("Latin-1", "47 72 fc df 65"))
UNFINISHED = ("c3", "e2", "e2 82", "f0", "f0 9f", "f0 9f 98", "ed 9f", "f4 8f bf")


def hexed(text):
    return bytes.fromhex(text)


def valid():
    """Whatever Unicode has, at once and byte by byte."""
    for point in POINTS:
        text = chr(point).encode()
        yield Case(f"U+{point:04X}", [frame(TEXT, text)], [NO_COMMAND])
        yield Case(f"U+{point:04X}, one byte a part", fragments(text, *range(1, len(text))),
                   [NO_COMMAND])
        if point > 0x7f:
            padded = command("v")[:-1] + b',"pad":"' + text * 10 + b'"}'
            yield Case(f"U+{point:04X} in an unknown member", [frame(TEXT, padded)], [echo("v")])
    for name in NAMES:
        text = command("@").replace(b"@", name.encode())
        yield Case(f"{ascii(name)} comes back", [frame(TEXT, text)], [echo(name)])
        yield Case(f"{ascii(name)} comes back, one byte a part",
                   fragments(text, *range(1, len(text))), [echo(name)])
    yield Case("a NUL", [frame(TEXT, b"\0")], [NO_COMMAND])


def invalid():
    """Whatever it has not: alone, behind text, in parts, and before the rest has come."""
    for name, code in INVALID:
        bad = hexed(code)
        yield Case(name, [frame(TEXT, bad)], [BAD_TEXT])
        yield Case(f"{name}, one byte a part",
                   fragments(b"ok" + bad + b"ok", *range(1, len(bad) + 4)), [BAD_TEXT])
        yield Case(f"{name}, the rest has not come", [frame(TEXT, b"ok" + bad, size=1_000)],
                   [BAD_TEXT])


def unfinished():
    """A message that ends within a character."""
    for code in UNFINISHED:
        text = b"ok" + hexed(code)
        yield Case(f"{code} at the end", [frame(TEXT, text)], [BAD_TEXT])
        yield Case(f"{code} at the end, one byte a write", pieces(frame(TEXT, text), 1), [BAD_TEXT])
        yield Case(f"{code} at the end of the last part", fragments(text, 1), [BAD_TEXT])
        yield Case(f"{code}, and an empty last part", fragments(text, len(text)), [BAD_TEXT])


def fail_fast():
    """What can't be made good any more is refused before the message ends."""
    for name, code in (("a surrogate", "ed a0"), ("an overlong form", "e0 80"),
                       ("an overlong form of four bytes", "f0 80"), ("beyond Unicode", "f4 90"),
                       ("a byte that never occurs", "f5")):
        yield Case(f"{name}, its first bytes", [frame(TEXT, hexed(code), size=500)], [BAD_TEXT])
        yield Case(f"{name}, its first bytes, in a part", [frame(TEXT, hexed(code), fin=False)],
                   [BAD_TEXT])
        yield Case(f"{name}, in a second part",
                   [frame(TEXT, "κόσμε".encode(), fin=False), frame(PING, b"p"),
                    frame(CONTINUATION, hexed(code), fin=False)], [("pong", b"p"), BAD_TEXT])
    first, last = fragments("日本".encode(), 4)
    yield Case("a character in two parts, with a ping between them",
               [first, frame(PING, b"\xff"), last], [("pong", b"\xff"), NO_COMMAND])
