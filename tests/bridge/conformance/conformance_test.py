#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""RFC 6455 and RFC 7692, case by case, on the real bridge: what it must take, what refuse, and how.

conformance_test.py BINARY [--tls] [GROUP]: by TLS; one group alone, and the name of each of its
cases.
"""

import os
import ssl
import sys

import closing
import deflate
import frames
import opening
import texts
from case import Case, echo, message
from wire import Answer, Peer, close, handshake

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli"))
from program import Program  # pylint: disable=wrong-import-position

GROUPS = {
    "opening: accepted": opening.accepted, "opening: refused": opening.refused,
    "frames": frames.framing, "pings": frames.pings, "reserved bits": frames.reserved_bits,
    "opcodes": frames.opcodes, "fragments": frames.fragmentation, "limits": frames.limits,
    "texts: valid": texts.valid, "texts: invalid": texts.invalid,
    "texts: unfinished": texts.unfinished, "texts: fail fast": texts.fail_fast,
    "closing: codes": closing.codes, "closing: payloads": closing.payloads,
    "closing: order": closing.order, "deflate: offers": deflate.offers,
    "deflate: messages": deflate.messages, "deflate: fragments": deflate.fragments,
    "deflate: violations": deflate.violations, "deflate: bombs": deflate.bombs,
    "deflate: broken": deflate.broken}
CASES_MIN = 900
FRAMES_PER_MINUTE = "1000000"


def differences(peer, chunks, expected):
    """Of what is heard; a session that shall live is asked for an echo, and closed."""
    peer.send(*chunks)
    if not expected or expected[-1][0] != "close":
        peer.send(message("end"), close(1000))
        expected = [*expected, echo("end"), ("close", 1000)]
    heard = peer.heard()
    if heard != expected:
        yield f"heard {heard}, expected {expected}"


def faults(port, tls, case):
    """What is wrong in this case; nothing if it holds."""
    with Peer(port, tls) as peer:
        try:
            if isinstance(case, Case):
                assert peer.open(handshake(Sec_WebSocket_Extensions=case.offers)).status == 101
                yield from differences(peer, case.chunks, case.expected)
                return
            peer.send(*case.chunks)
            answer = Answer(peer)
            yield from opening.answer_faults(case, answer)
            if answer.status == 101:
                yield from differences(peer, [], case.heard or [])
        except (AssertionError, ValueError, KeyError, IndexError) as broken:
            yield f"{type(broken).__name__}: {broken}"


def main(binary, *options):
    tls, flags = None, []
    only = next((option for option in options if option != "--tls"), None)
    total = failed = 0
    with Program(binary) as program:
        if "--tls" in options:
            certificate, key = program.certificate("bridge")
            tls = ssl.create_default_context(cafile=certificate)
            flags = ["--bridge-certificate", certificate, "--bridge-key", key]
        place = program.start("up", "--http", "127.0.0.1:0", "--max-frames-per-minute",
                              FRAMES_PER_MINUTE, *flags)
        port = int(place["bridge"].rsplit(":", 1)[1])
        for group, cases in GROUPS.items():
            if only not in (None, group):
                continue
            names = set()
            bad = 0
            for case in cases():
                assert case.name not in names, f"{group}: {case.name} occurs twice"
                names.add(case.name)
                found = list(faults(port, tls, case))
                bad += bool(found)
                if found or only:
                    print(f"    {'FAILED ' if found else ''}{case.name}: {'; '.join(found)}"[:400])
            print(f"  {group}: {len(names) - bad} of {len(names)}", flush=True)
            total, failed = total + len(names), failed + bad
        assert program.stop() == 0
    print(f"  in all: {total - failed} of {total}")
    return 1 if failed or (not only and total < CASES_MIN) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
