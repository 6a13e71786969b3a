# SPDX-License-Identifier: Apache-2.0
"""Cases of permessage-deflate (RFC 7692): offers, RSV1, parts, bombs, and what does not inflate."""

import struct
import zlib

from case import (BAD_FRAME, BAD_TEXT, MESSAGE_BYTES_MAX, NO_COMMAND, NOT_TEXT, TOO_LONG, Case,
                  command, echo, message, pieces)
from opening import asked
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

OFFER = "permessage-deflate; client_max_window_bits"
ANSWER = "permessage-deflate; client_no_context_takeover"
END = b"\0\0\xff\xff"


def deflated(data, level=6, bits=15, strategy=zlib.Z_DEFAULT_STRATEGY, flush=zlib.Z_SYNC_FLUSH):
    """The payload of a message that is compressed."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
    payload = compressor.compress(data) + compressor.flush(flush)
    return payload[:-4] if flush == zlib.Z_SYNC_FLUSH else payload + b"\0"


def stored(data, is_last=False):
    """As a block that is not compressed."""
    return bytes([is_last]) + struct.pack("<HH", len(data), len(data) ^ 0xffff) + data


def case(name, chunks, expected):
    return Case(name, chunks, expected, OFFER)


def packed(payload, opcode=TEXT, **shape):
    return frame(opcode, payload, rsv=4, **shape)


def parts(payload, *cuts):
    """The frames of a compressed message that is cut at these places."""
    edges = [0, *cuts, len(payload)]
    texts = [payload[begin:end] for begin, end in zip(edges, edges[1:])]
    return [frame(CONTINUATION if index else TEXT, part, fin=index == len(texts) - 1,
                  rsv=0 if index else 4) for index, part in enumerate(texts)]


def offers():
    """What is accepted, and how; what is declined, which leaves the session uncompressed."""
    def offer(text, answer=None):
        return asked(text, 101, extensions=answer, Sec_WebSocket_Extensions=text)

    name, kept = "permessage-deflate", f"{ANSWER}; server_max_window_bits=12"
    alone = f"{ANSWER}; server_no_context_takeover"
    for parameters in ("", "; client_max_window_bits", "; client_max_window_bits=8",
                       "; client_max_window_bits=15", "; client_no_context_takeover",
                       ";client_no_context_takeover ;client_max_window_bits = 10",
                       "; client_max_window_bits=\"10\"", "; client_max_window_bits=\"1\\0\""):
        yield offer(name + parameters, ANSWER)
    yield offer(f"{name}; server_no_context_takeover", alone)
    yield offer(f"{name}; server_no_context_takeover; client_no_context_takeover", alone)
    for bits in ("12", "13", "14", "15", "\"12\""):
        yield offer(f"{name}; server_max_window_bits={bits}", kept)
    for bits in (8, 9, 10, 11):
        yield offer(f"{name}; server_max_window_bits={bits}")
        yield offer(f"{name}; server_max_window_bits={bits}, {name}", ANSWER)
    for wrong in ("x", "x=1", "server_no_context_takeover=1", "client_no_context_takeover=true",
                  "server_no_context_takeover; server_no_context_takeover",
                  "client_max_window_bits; client_max_window_bits", "server_max_window_bits",
                  "server_max_window_bits=7", "server_max_window_bits=16",
                  "server_max_window_bits=015", "server_max_window_bits=x",
                  "client_max_window_bits=7", "client_max_window_bits=16",
                  "client_max_window_bits=-10", "CLIENT_MAX_WINDOW_BITS"):
        yield offer(f"{name}; {wrong}")
        yield offer(f"{name}; {wrong}, {name}", ANSWER)
    for malformed in (f"{name};", f"{name}; ;", f"{name}; =10", f"{name}; client_max_window_bits=",
                      f"{name}; client_max_window_bits=\"10", f"{name} x", f"{name}, ;",
                      f"{name}, \"x\"", "=", f"{name}; client_max_window_bits=\"1 0\""):
        yield offer(malformed)
    for other in ("PERMESSAGE-DEFLATE", "permessage-deflate2", "x-webkit-deflate-frame",
                  "permessage-bzip2; client_max_window_bits"):
        yield offer(other)
        yield offer(f"{other}, {OFFER}", ANSWER)
    yield offer(f",, {name} ,", ANSWER)


def messages():
    """Whole messages by all kinds of blocks, beside messages that are not compressed."""
    text = command("d", 300)
    for level in range(10):
        yield case(f"level {level}", [packed(deflated(text, level))], [echo("d")])
    for bits in (9, 10, 12):
        yield case(f"a window of {bits} bits", [packed(deflated(text, bits=bits))], [echo("d")])
    for strategy, name in ((zlib.Z_FIXED, "fixed codes"), (zlib.Z_HUFFMAN_ONLY, "codes alone"),
                           (zlib.Z_RLE, "runs")):
        yield case(name, [packed(deflated(text, strategy=strategy))], [echo("d")])
    yield case("a last block, and an empty one", [packed(deflated(text, flush=zlib.Z_FINISH))],
               [echo("d")])
    yield case("a last block, and more", [packed(stored(text[:9], True) + stored(text[9:]) +
                                                 b"\0")], [echo("d")])
    yield case("many blocks, some empty", [packed(b"".join(stored(text[at:at + 7]) + stored(b"")
                                                           for at in range(0, 300, 7)) + b"\0")],
               [echo("d")])
    yield case("one byte a write", pieces(packed(deflated(text)), 1), [echo("d")])
    yield case("an empty text", [packed(b"\0")], [NO_COMMAND])
    yield case("not compressed", [message("p")], [echo("p")])
    yield case("both by turns", [packed(deflated(command("a"))), message("b"),
                                 packed(deflated(command("c")))], [echo("a"), echo("b"), echo("c")])
    yield case("ten in one write", [b"".join(packed(deflated(command(f"{n}"))) for n in range(10))],
               [echo(f"{n}") for n in range(10)])
    yield case("letters of all lengths", [packed(deflated(command("u", 327, "κ".encode())))],
               [echo("u")])
    for size in (4_095, 4_096, 4_097, MESSAGE_BYTES_MAX):
        yield case(f"{size} bytes", [packed(deflated(command("s", size)))], [echo("s")])


def fragments():
    """RSV1 stands on the first part; the cuts stand anywhere."""
    payload = deflated(command("f", 300))
    for cut in (0, 1, 2, 10, len(payload) - 1, len(payload)):
        yield case(f"cut at {cut}", parts(payload, cut), [echo("f")])
    yield case("one byte a part", parts(payload, *range(1, len(payload))), [echo("f")])
    yield case("100 empty parts", parts(payload, *[9] * 100), [echo("f")])
    first, last = parts(payload, 9)
    ping, pong = frame(PING, b"between"), ("pong", b"between")
    yield case("a ping between", [first, ping, last], [pong, echo("f")])
    yield case("a ping between, one byte a write", pieces(first + ping + last, 1),
               [pong, echo("f")])
    yield case("a message that is not compressed, in parts",
               [frame(TEXT, command("g")[:9], fin=False), frame(CONTINUATION, command("g")[9:])],
               [echo("g")])
    yield case("RSV1 on the last part", [first, packed(payload[9:], CONTINUATION)], [BAD_FRAME])
    yield case("RSV1 on the last part alone",
               [frame(TEXT, command("g")[:9], fin=False), packed(payload, CONTINUATION)],
               [BAD_FRAME])
    yield case("RSV1 on a part between", [first, packed(b"", CONTINUATION, fin=False)],
               [BAD_FRAME])
    yield case("RSV1 on a part of nothing", [packed(payload, CONTINUATION)], [BAD_FRAME])
    yield case("another message within", [first, packed(payload)], [BAD_FRAME])


def violations():
    """RSV1 where it may not be; and bits that nobody has agreed on."""
    payload = deflated(command("v"))
    for opcode, name in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
        yield case(f"a {name}", [packed(b"", opcode)], [BAD_FRAME])
        yield case(f"a {name} within a message", [parts(payload, 5)[0], packed(b"", opcode)],
                   [BAD_FRAME])
    for bits in (1, 2, 3, 5, 6, 7):
        yield case(f"bits {bits}", [frame(TEXT, payload, rsv=bits)], [BAD_FRAME])
    for opcode in (3, 7):
        yield case(f"opcode {opcode}", [packed(payload, opcode)], [BAD_FRAME])
    yield case("not masked", [packed(payload, mask=None)], [BAD_FRAME])
    yield case("binary", [packed(payload, BINARY)], [NOT_TEXT])
    yield Case("nothing was offered", [packed(payload)], [BAD_FRAME])
    yield Case("nothing was offered, the first part alone", [parts(payload, 5)[0]], [BAD_FRAME])
    yield Case("the offer was declined", [packed(payload)], [BAD_FRAME],
               "permessage-deflate; server_max_window_bits=8")


def bombs():
    """16 KiB a message, as it comes and as it inflates."""
    over = MESSAGE_BYTES_MAX + 1
    yield case("a byte too long", [packed(deflated(command("b", over)))], [TOO_LONG])
    yield case("a byte too long, in parts", parts(deflated(command("b", over)), 9, 20), [TOO_LONG])
    yield case("12 MB of one letter", [packed(deflated(b"x" * 12_000_000, 9))], [TOO_LONG])
    yield case("12 MB of one letter, in parts",
               parts(deflated(b"x" * 12_000_000, 9), *range(1_000, 11_000, 1_000)), [TOO_LONG])
    yield case("16 KiB and a byte before it is inflated", [packed(b"\0" * over)], [TOO_LONG])
    yield case("the same in parts", parts(stored(b"") * 3_300, 8_000, 16_000), [TOO_LONG])
    yield case("16 KiB and a byte, announced alone", [packed(b"", size=over)], [TOO_LONG])
    yield case("blocks of nothing", [packed(stored(b"") * 3_000 + b"\0")], [NO_COMMAND])


def broken():
    """What does not inflate, or not to text."""
    text = command("x", 300)
    payload = deflated(text)
    for name, data in (("nothing", b""), ("no such block", b"\xff\xff\xff"),
                       ("a length that is not confirmed", b"\0\5\0\0\0Hello\0"),
                       ("a distance before the beginning", b"\x02\x02\0"),
                       ("text that is not compressed", text),
                       ("cut in the middle", payload[:len(payload) // 2]),
                       ("without its last byte", payload[:-1]),
                       ("with its last four bytes", payload + END + b"\xff"),
                       ("bytes behind a last block", stored(text, True) + b"\xff")):
        yield case(name, [packed(data)], [BAD_TEXT])
    second = zlib.compressobj(wbits=-15)
    second.compress(text)
    second.flush(zlib.Z_SYNC_FLUSH)
    taken_over = (second.compress(text) + second.flush(zlib.Z_SYNC_FLUSH))[:-4]
    yield case("refers to the message before", [packed(payload), packed(taken_over)],
               [echo("x"), BAD_TEXT])
    for code in ("ff", "c3", "c3 28", "ed a0 80", "c0 af", "f4 90 80 80"):
        yield case(f"inflates to {code}", [packed(deflated(bytes.fromhex(code)))], [BAD_TEXT])
    yield case("a character that is cut in two is whole again",
               parts(deflated(command("y", 327, "κ".encode()), level=0), 100, 101), [echo("y")])
