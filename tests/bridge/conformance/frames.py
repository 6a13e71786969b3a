# SPDX-License-Identifier: Apache-2.0
"""Cases of frames: lengths, masks, reserved bits, opcodes, fragments, limits, pings."""

from case import (BAD_FRAME, MESSAGE_BYTES_MAX, NO_COMMAND, NOT_TEXT, TOO_LONG, Case, command,
                  echo, fragments, message, pieces)
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

SIZES = (60, 124, 125, 126, 127, 128, 129, 255, 256, 1_000, 1_023, 1_024, 1_025, 4_096, 16_383,
         MESSAGE_BYTES_MAX)
RESERVED_OPCODES = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
MASKS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\x80\0\0\0", b"{{{{", b"\1\2\3\4")


def framing():
    """Lengths by one write and by many; masks; lengths that are not in their shortest form."""
    yield Case("an empty text", [frame(TEXT)], [NO_COMMAND])
    for size in SIZES:
        whole = frame(TEXT, command("s", size))
        yield Case(f"{size} bytes at once", [whole], [echo("s")])
        yield Case(f"{size} bytes, 997 a write", pieces(whole, 997), [echo("s")])
        if size <= 1_025:
            yield Case(f"{size} bytes, one a write", pieces(whole, 1), [echo("s")])
    for mask in MASKS:
        yield Case(f"mask {mask.hex()}", [message("m", mask=mask)], [echo("m")])
        yield Case(f"mask {mask.hex()}, three bytes a write", pieces(message("m", mask=mask), 3),
                   [echo("m")])
    yield Case("two messages in one write", [message("a") + message("b")], [echo("a"), echo("b")])
    yield Case("16 messages in one write", [b"".join(message(f"{n}") for n in range(16))],
               [echo(f"{n}") for n in range(16)])
    yield Case("a write ends within the next header", [message("a") + message("b")[:1],
                                                       message("b")[1:]], [echo("a"), echo("b")])
    yield Case("a write ends within the mask", [message("a")[:4], message("a")[4:]], [echo("a")])
    for size, width in ((0, 16), (40, 16), (125, 16), (0, 64), (40, 64), (125, 64), (126, 64),
                        (1_000, 64)):
        text = command("n", size) if size > 60 else b"x" * size
        yield Case(f"{size} bytes, length in {width} bits", [frame(TEXT, text, width=width)],
                   [BAD_FRAME])
    for opcode, name in ((TEXT, "text"), (BINARY, "binary"), (PING, "ping"), (PONG, "pong"),
                         (CLOSE, "close")):
        yield Case(f"a {name} that is not masked", [frame(opcode, mask=None)], [BAD_FRAME])
    yield Case("a continuation that is not masked", [fragments(command("c"), 9)[0],
                                                     frame(CONTINUATION, b"}", mask=None)],
               [BAD_FRAME])
    yield Case("a second message that is not masked", [message("a"), message("b", mask=None)],
               [echo("a"), BAD_FRAME])


def pings():
    """Pings and pongs: sizes, order, places, and what is no proper control frame."""
    for size in (0, 1, 7, 8, 124, 125):
        payload = bytes(range(256))[256 - size:]
        yield Case(f"a ping of {size} bytes", [frame(PING, payload)], [("pong", payload)])
        yield Case(f"a ping of {size} bytes, one a write", pieces(frame(PING, payload), 1),
                   [("pong", payload)])
        yield Case(f"a pong of {size} bytes that nobody asked for", [frame(PONG, payload)], [])
    for opcode, name in ((PING, "ping"), (PONG, "pong")):
        yield Case(f"a {name} of 126 bytes", [frame(opcode, b"p" * 126)], [BAD_FRAME])
        yield Case(f"a {name} of 126 bytes, announced alone", [frame(opcode, size=126)],
                   [BAD_FRAME])
        yield Case(f"a {name} of 70,000 bytes", [frame(opcode, b"p" * 70_000)], [BAD_FRAME])
        yield Case(f"a {name} of 5 bytes, length in 16 bits", [frame(opcode, b"p" * 5, width=16)],
                   [BAD_FRAME])
        yield Case(f"a {name} of 5 bytes, length in 64 bits", [frame(opcode, b"p" * 5, width=64)],
                   [BAD_FRAME])
        yield Case(f"a {name} in parts", [frame(opcode, b"p", fin=False)], [BAD_FRAME])
        yield Case(f"a {name} in parts, and the rest of it",
                   [frame(opcode, b"p", fin=False), frame(CONTINUATION, b"p")], [BAD_FRAME])
    yield Case("ten pings at once", [b"".join(frame(PING, b"%d" % n) for n in range(10))],
               [("pong", b"%d" % n) for n in range(10)])
    yield Case("ten pings and messages by turns",
               [frame(PING, b"%d" % n) + message(f"{n}") for n in range(10)],
               [word for n in range(10) for word in (("pong", b"%d" % n), echo(f"{n}"))])
    yield Case("a pong, then a ping", [frame(PONG, b"unasked"), frame(PING, b"asked")],
               [("pong", b"asked")])
    yield Case("a ping that is not UTF-8", [frame(PING, b"\xff\xfe\x00")],
               [("pong", b"\xff\xfe\x00")])


def reserved_bits():
    """No extension was agreed on, so that each bit breaks the frame."""
    for bits in range(1, 8):
        for opcode, name in ((TEXT, "text"), (BINARY, "binary"), (PING, "ping"), (PONG, "pong"),
                             (CLOSE, "close")):
            yield Case(f"{bits} of a {name}", [frame(opcode, rsv=bits)], [BAD_FRAME])
        yield Case(f"{bits} of a continuation", [fragments(command("c"), 9)[0],
                                                 frame(CONTINUATION, b"x", rsv=bits)], [BAD_FRAME])
        yield Case(f"{bits} after a message and a ping, in one write",
                   [message("a") + frame(PING, b"p") + message("b", rsv=bits) + message("c")],
                   [echo("a"), ("pong", b"p"), BAD_FRAME])


def opcodes():
    """Those that nobody has given a meaning, and binary, which is not spoken."""
    for opcode in RESERVED_OPCODES:
        yield Case(f"{opcode}, empty", [frame(opcode)], [BAD_FRAME])
        yield Case(f"{opcode}, header alone", [frame(opcode, size=5)], [BAD_FRAME])
        yield Case(f"{opcode}, in parts", [frame(opcode, b"x", fin=False)], [BAD_FRAME])
        yield Case(f"{opcode} after a message", [message("a"), frame(opcode, b"x"), message("b")],
                   [echo("a"), BAD_FRAME])
        yield Case(f"{opcode} within a message", [fragments(command("a"), 9)[0], frame(opcode)],
                   [BAD_FRAME])
    for payload in (b"", b"x", b"\xff\xfe", command("b"), b"x" * MESSAGE_BYTES_MAX):
        yield Case(f"binary of {len(payload)} bytes", [frame(BINARY, payload)], [NOT_TEXT])
    yield Case("binary in parts", [frame(BINARY, b"a", fin=False), frame(CONTINUATION, b"b")],
               [NOT_TEXT])
    yield Case("binary of 16 KiB and a byte", [frame(BINARY, b"x" * (MESSAGE_BYTES_MAX + 1))],
               [TOO_LONG])
    yield Case("a message behind a binary one", [frame(BINARY, b"x") + message("late")],
               [NOT_TEXT])


def fragmentation():
    """Messages in parts, with control frames between them, and parts that don't belong."""
    text = command("f", 130)
    for cut in (0, 1, 2, 64, 125, 126, 129, 130):
        yield Case(f"cut at {cut}", fragments(text, cut), [echo("f")])
    yield Case("one byte a part", fragments(text, *range(1, 130)), [echo("f")])
    yield Case("one byte a part, one a write",
               pieces(b"".join(fragments(text, *range(1, 130))), 1), [echo("f")])
    yield Case("1,000 empty parts", fragments(text, *[50] * 1_000), [echo("f")])
    yield Case("all parts are empty", fragments(b"", 0, 0), [NO_COMMAND])
    first, middle, last = fragments(text, 40, 80)
    ping, pong = frame(PING, b"between"), ("pong", b"between")
    yield Case("a ping between two parts", [first, ping, middle, last], [pong, echo("f")])
    yield Case("pings between all parts, in one write", [first + ping + middle + ping + last],
               [pong, pong, echo("f")])
    yield Case("pings between all parts, one byte a write",
               pieces(first + ping + middle + ping + last, 1), [pong, pong, echo("f")])
    yield Case("a pong between two parts", [first, frame(PONG, b"x"), middle, last], [echo("f")])
    yield Case("two messages in parts", [first, middle, last] + fragments(command("g"), 3),
               [echo("f"), echo("g")])
    yield Case("each part has its mask",
               [frame(TEXT, text[:41], fin=False, mask=b"\1\2\3\4"),
                frame(CONTINUATION, text[41:], mask=b"\xfa\0\xce\7")], [echo("f")])
    for fin in (True, False):
        tail = "a last part" if fin else "a part"
        yield Case(f"{tail} of nothing", [frame(CONTINUATION, b"x", fin=fin)], [BAD_FRAME])
        yield Case(f"{tail} of nothing, empty", [frame(CONTINUATION, fin=fin)], [BAD_FRAME])
        yield Case(f"{tail} behind a whole message", [message("a"), frame(CONTINUATION, fin=fin)],
                   [echo("a"), BAD_FRAME])
        yield Case(f"{tail} behind the last part",
                   [first, middle, last, frame(CONTINUATION, b"x", fin=fin)],
                   [echo("f"), BAD_FRAME])
        for opcode, name in ((TEXT, "text"), (BINARY, "binary")):
            yield Case(f"{'a whole' if fin else 'another'} {name} within a message",
                       [first, frame(opcode, b"x", fin=fin)], [BAD_FRAME])
    yield Case("a ping in parts within a message", [first, frame(PING, fin=False)], [BAD_FRAME])


def limits():
    """16 KiB a message, however it comes; and lengths that are only announced."""
    most, over = MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX + 1
    yield Case("16 KiB in parts of 1 KiB",
               fragments(command("l", most), *range(1_024, most, 1_024)), [echo("l")])
    yield Case("16 KiB in two parts", fragments(command("l", most), most - 1), [echo("l")])
    yield Case("a byte more", [frame(TEXT, command("l", over))], [TOO_LONG])
    yield Case("a byte more in the last part", fragments(command("l", over), most), [TOO_LONG])
    yield Case("a byte more in parts of 1 KiB",
               fragments(command("l", over), *range(1_024, over, 1_024)), [TOO_LONG])
    yield Case("1 MiB", [frame(TEXT, b"x" * (1 << 20))], [TOO_LONG])
    first = fragments(command("l", 100), 50)[0]
    for size in (over, (1 << 16) - 1, 1 << 16, 1 << 31, 1 << 32, (1 << 63) - 1):
        yield Case(f"{size} bytes, announced alone", [frame(TEXT, size=size)], [TOO_LONG])
        yield Case(f"{size} bytes more, announced alone", [first, frame(CONTINUATION, size=size)],
                   [TOO_LONG])
    yield Case("16 messages of 16 KiB", [frame(TEXT, command(f"{n}", most)) for n in range(16)],
               [echo(f"{n}") for n in range(16)])
    # The highest bit of a length of 64 bits must be 0. Such lengths also wrap around when they are
    # added to what is there.
    for size in (1 << 63, (1 << 64) - 1, (1 << 64) - 50):
        yield Case(f"{size} bytes", [frame(TEXT, b"x", size=size)], [BAD_FRAME])
        yield Case(f"{size} bytes more", [first, frame(CONTINUATION, b"x" * 50, size=size)],
                   [BAD_FRAME])
