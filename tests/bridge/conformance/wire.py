# SPDX-License-Identifier: Apache-2.0
"""One connection to a bridge by a raw socket: frames as the case builds them, by the book or not.

What the server sends is held against RFC 6455 in any case: not masked, no reserved bit, no opcode
but text, close, ping and pong, never fragmented, lengths in their shortest form.
"""

import base64
import hashlib
import json
import socket
import ssl
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = base64.b64encode(bytes(range(16))).decode()
MASK = b"\x37\xfa\x21\x3d"
SECONDS_MAX = 10
# The server's own, at any time.
UNASKED = {"Connected", "Heartbeat", "RateLimitWarning"}


class Violation(AssertionError):
    """The server broke the protocol."""


def accept_of(key):
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    return base64.b64encode(digest).decode()


def masked(payload, mask):
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def length_field(size, width):
    """The second byte without the mask bit, and what follows; `width` in bits, None: shortest."""
    width = width or (7 if size < 126 else 16 if size < 1 << 16 else 64)
    if width == 7:
        return bytes([size])
    return bytes([126]) + struct.pack(">H", size) if width == 16 else (
        bytes([127]) + struct.pack(">Q", size))


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK, size=None, width=None):
    """A frame. `mask` None: not masked; `size`: announced instead of the payload's."""
    length = length_field(len(payload) if size is None else size, width)
    first = bytes([fin << 7 | rsv << 4 | opcode])
    if mask is None:
        return first + length + payload
    return first + bytes([length[0] | 0x80]) + length[1:] + mask + masked(payload, mask)


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def handshake(target="/ws", method="GET", version="HTTP/1.1", **headers):
    """An upgrade request; a header of the name given in `headers` is replaced, None removes it."""
    lines = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"}
    lines.update({name.replace("_", "-"): value for name, value in headers.items()})
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"{method} {target} {version}\r\n{text}\r\n".encode("latin-1")


class Answer:
    """The head of an HTTP response, and its body unless the protocol was switched."""

    def __init__(self, peer):
        head = peer.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(head[0].split()[1])
        fields = [line.split(":", 1) for line in head[1:] if line]
        self.headers = {name.lower(): value.strip() for name, value in fields}
        if len(self.headers) != len(fields):
            raise Violation(f"a header occurs twice: {head}")
        self.body = b"" if self.status == 101 else peer.rest()


class Peer:
    """A socket that is connected to the bridge; `tls`: an ssl.SSLContext."""

    def __init__(self, port, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *chunks):
        """Each by a write of its own. A server that has ended the connection is no error."""
        try:
            for chunk in chunks:
                self.socket.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass

    def more(self):
        """Whether anything came before the end of the connection."""
        try:
            received = self.socket.recv(65536)
        except ConnectionResetError:
            received = b""
        except socket.timeout:
            raise Violation(f"nothing within {SECONDS_MAX} s") from None
        self.buffer += received
        return bool(received)

    def take(self, size):
        """So many bytes; fewer if the connection ends."""
        while len(self.buffer) < size and self.more():
            pass
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def until(self, end):
        while end not in self.buffer:
            if not self.more():
                raise Violation(f"the connection ended after {self.buffer!r}")
        return self.take(self.buffer.index(end) + len(end))

    def rest(self):
        while self.more():
            pass
        return self.take(len(self.buffer))

    def open(self, request=None):
        self.send(request or handshake())
        return Answer(self)

    def read(self):
        """The next frame's opcode and payload; nothing at the end of the connection."""
        header = self.take(2)
        if not header:
            return None
        first, size = header
        if first & 0x70 or not first & 0x80 or first & 15 not in (TEXT, CLOSE, PING, PONG):
            raise Violation(f"a frame begins with {first:#x}")
        if size > 127:
            raise Violation("the server masks")
        if size == 126:
            size = int.from_bytes(self.take(2), "big")
            if size < 126:
                raise Violation("16 bits for a short length")
        elif size == 127:
            size = int.from_bytes(self.take(8), "big")
            if size < 1 << 16:
                raise Violation("64 bits for a short length")
        payload = self.take(size)
        if len(payload) < size:
            raise Violation("the connection ended within a frame")
        return first & 15, payload

    def heard(self):
        """All that comes until the end, in the words of the cases; a close is answered."""
        said = []
        while received := self.read():
            word = meaning(*received)
            if word is None:
                continue
            if said and said[-1][0] == "close":
                raise Violation(f"{word} after {said[-1]}")
            said.append(word)
            if word[0] == "close":
                self.send(frame(CLOSE, received[1]))
        return said


def meaning(opcode, payload):
    """What a frame of the server says to a case; nothing if it is not an answer."""
    if opcode == PING:
        return None
    if opcode == PONG:
        return "pong", payload
    if opcode == CLOSE:
        if len(payload) == 1:
            raise Violation("a close of one byte")
        payload[2:].decode()
        return "close", struct.unpack(">H", payload[:2])[0] if payload else None
    message = json.loads(payload)
    if message["type"] in UNASKED:
        return None
    return message["type"], message["data"]["code"] if message["type"] == "Error" else (
        message.get("id"))
