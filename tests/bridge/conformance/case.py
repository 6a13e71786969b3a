# SPDX-License-Identifier: Apache-2.0
"""How a case is written: what is sent on an open session, and what must come back, in order."""

import json
from collections import namedtuple

from wire import TEXT, frame

# `chunks`: byte strings, each sent by a write of its own. `expected`: words of wire.meaning(); if
# the last is no close, the session must be alive afterwards. `offers`: extensions.
Case = namedtuple("Case", "name chunks expected offers", defaults=(None,))

BAD_FRAME, NOT_TEXT, BAD_TEXT, TOO_LONG = (("close", code) for code in (1002, 1003, 1007, 1009))
NO_COMMAND = ("Error", "INVALID_MESSAGE")  # text that arrived, and is no JSON
MESSAGE_BYTES_MAX = 16 * 1024


def command(name, size=0, padding=b"x"):
    """A message of exactly `size` bytes, or of its own length, that is answered by its id."""
    text = json.dumps({"type": "Ping", "id": name}, separators=(",", ":")).encode()
    if not size:
        return text
    room = size - len(text) - len(b',"pad":""')
    assert room >= 0 and room % len(padding) == 0, (size, padding)
    return text[:-1] + b',"pad":"' + padding * (room // len(padding)) + b'"}'


def echo(name):
    return "Pong", name


def message(name, **shape):
    """A whole command in one frame."""
    return frame(TEXT, command(name), **shape)


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def fragments(text, *cuts, **shape):
    """The frames of a text that is cut at these places."""
    edges = [0, *cuts, len(text)]
    parts = [text[begin:end] for begin, end in zip(edges, edges[1:])]
    return [frame(TEXT if index == 0 else 0, part, fin=index == len(parts) - 1, **shape)
            for index, part in enumerate(parts)]
