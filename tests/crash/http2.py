# SPDX-License-Identifier: Apache-2.0
"""A client that speaks HTTP/2 by hand, and as badly as it is told to."""

import struct

import attacked

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
ACK = END_STREAM = 1
END_HEADERS = 4
CANCEL = struct.pack(">I", 8)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(value):
    """A string of HPACK, not compressed. REQUIRES: less than 127 bytes."""
    return bytes([len(value)]) + value.encode()


def call(method, key=""):
    """The header block that begins a call of gRPC; no table is used, so it fits every stream."""
    block = (b"\x83\x86\x04" + text("/" + method) + b"\x01" + text("localhost") +
             b"\x0f\x10" + text("application/grpc") + b"\x00" + text("te") + text("trailers"))
    return block + (b"\x00" + text("x-api-key") + text(key) if key else b"")


class Attacker(attacked.Attacker):
    """A connection that speaks HTTP/2."""

    def greet(self, agree=False):
        """Says hello; agrees to the server's settings once they have come, if it shall."""
        if not self.send(PREFACE, frame(SETTINGS)):
            return False
        if not agree:
            return True
        try:
            while self.socket.recv(9)[3:4] != bytes([SETTINGS]):
                pass
        except OSError:
            return False
        return self.send(frame(SETTINGS, ACK))
