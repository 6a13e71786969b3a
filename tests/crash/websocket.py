# SPDX-License-Identifier: Apache-2.0
"""WebSocket clients by hand: one that is told how to misbehave, and the frames of both sides."""

import json
import os
import sys

from attacked import Attacker

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bridge",
                                "conformance"))
from wire import CLOSE, PING, TEXT, frame, handshake  # pylint: disable=wrong-import-position

MASK = bytes(4)  # of zeros: what is sent is what is meant
CUT = 1006  # in the place of a close code: the connection ended without one


def message(kind, number="", **data):
    """A text frame of the client."""
    body = {"type": kind, "id": str(number), "data": data}
    return frame(TEXT, json.dumps(body).encode(), mask=MASK)


def take_frames(buffer):
    """The opcodes and payloads that are whole in `buffer`, which keeps the rest."""
    place = 0
    frames = []
    while len(buffer) >= place + 2:
        size, begin = buffer[place + 1], place + 2
        if size >= 126:
            begin += 2 if size == 126 else 8
            size = int.from_bytes(buffer[place + 2:begin], "big")
        if len(buffer) < begin + size:
            break
        frames.append((buffer[place] & 15, bytes(buffer[begin:begin + size])))
        place = begin + size
    del buffer[:place]
    return frames


class WebSocket(Attacker):
    """A connection that begins as a WebSocket; unless it is refused, which `status` tells."""

    def __init__(self, port, source="127.0.0.2", key="", receive_bytes=0, **headers):
        super().__init__(port, source, receive_bytes)
        self.buffer, self.frames, self.head, self.status = bytearray(), [], "", 0
        if key:
            headers["X-Api-Key"] = key
        self.send(handshake(**headers))
        while b"\r\n\r\n" not in self.buffer and self.more():
            pass
        if b"\r\n\r\n" in self.buffer:
            end = self.buffer.index(b"\r\n\r\n") + 4
            self.head = self.buffer[:end].decode("latin-1")
            self.status = int(self.head.split()[1])
            del self.buffer[:end]

    def more(self):
        """Whether the server said more, rather than ended the connection."""
        try:
            received = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.buffer += received
        return bool(received)

    def read(self):
        """The next frame; (CLOSE, "") when the connection has ended."""
        while not self.frames:
            self.frames = take_frames(self.buffer)
            if not self.frames and not self.more():
                return CLOSE, b""
        return self.frames.pop(0)

    def read_until(self, kind):
        """The first message of this type; everything else is skipped. Fails at the end."""
        while (received := self.read())[0] != CLOSE:
            if received[0] == TEXT and f'"type":"{kind}"' in received[1].decode():
                return json.loads(received[1])
        raise AssertionError(f"the server ended it with {received} before {kind}")

    def end(self, heard=None):
        """What the server ends it with: a close code, or CUT. Errors before go to `heard`."""
        while (received := self.read())[0] != CLOSE:
            if heard is not None and b'"type":"Error"' in received[1]:
                heard.append(json.loads(received[1])["data"]["code"])
        return int.from_bytes(received[1][:2], "big") if received[1] else CUT


def pong(payload):
    return frame(10, payload, mask=MASK)


__all__ = ["CLOSE", "CUT", "MASK", "PING", "TEXT", "WebSocket", "frame", "handshake", "message",
           "pong", "take_frames"]
