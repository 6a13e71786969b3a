#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real program is attacked beyond loopback: it answers throughout, and its memory stays flat.

Attackers come from addresses of their own. Meanwhile somebody honest calls again and again, each
time by a new connection, and a subscriber listens from the beginning to the end.

attack_set_test.py BINARY [HOST:PORT]: another address to listen at, only to look; on loopback there
is no front door.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
import urllib.request

from attacked import Process
from http2 import (CANCEL, CONTINUATION, DATA, END_HEADERS, HEADERS, RST_STREAM, Attacker, call,
                   frame)
from scenario import Program

DESCRIPTORS = 600  # of the core: the front door takes 100 connections
GROWTH_MIB_MAX = 100
ANSWER_SECONDS_MAX = 10  # for a whole command, on a machine that is busy
UNARY = "wattmint.v1.MintService/GetSupply"
STREAMS = 20_000


class Core(Process):
    """The core under attack, and what is known of it."""

    def __init__(self, program, place):
        super().__init__(program.server.pid)
        self.program = program
        self.port = int(place["core"].rsplit(":", 1)[1])
        self.metrics = place["metrics"]
        self.peak_mib = 0
        self.has_door = bool(self.refused())
        with open(os.path.join(program.data, "admin.key"), encoding="ascii") as file:
            self.key = file.read().strip()

    def expect_cut(self, attacker):
        assert attacker.is_cut(5) or not self.has_door

    def refused(self):
        """How many connections the front door has closed, by reason; nothing without one."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=30) as page:
            lines = page.read().decode().splitlines()
        begin = 'wattmint_connections_refused_total{reason="'
        return {line[len(begin):].split('"')[0]: int(float(line.split()[-1]))
                for line in lines if line.startswith(begin)}


class Honest:
    """Registers one meter after another while an attack runs, each by a new connection."""

    count = 0

    def __init__(self, program):
        self.program, self.seconds, self.error = program, [], None
        self.is_over, self.changed = threading.Event(), threading.Condition()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            while not self.seconds or not self.is_over.is_set():
                Honest.count += 1
                begin = time.monotonic()
                self.program.run("meter", "register", f"H-{Honest.count}", "--owner", "ann")
                with self.changed:
                    self.seconds.append(time.monotonic() - begin)
                    self.changed.notify_all()
        except BaseException as error:  # pylint: disable=broad-except
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def wait_for_answers(self, count):
        """Waits for so many more."""
        with self.changed:
            count += len(self.seconds)
            self.changed.wait_for(lambda: self.error or len(self.seconds) >= count)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


class Subscriber:
    """Watches the log, by one stream, from H-0 on."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            program.command("watch", "--from", "beginning", "--output", "json"),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.read(1) == ["H-0"]

    def read(self, count):
        """The meters of so many more events."""
        lines = (self.process.stdout.readline() for _ in range(count))
        return [json.loads(line)["meter_changed"]["meter_id"] for line in lines]

    def end(self):
        self.process.terminate()
        self.process.communicate()


def rapid_reset(core, _):
    """Calls are opened and reset at once, as fast as they can be written."""
    for _ in range(20):
        with Attacker(core.port) as attacker:
            attacker.greet(agree=True)
            for stream in range(1, 2 * STREAMS, 200):
                calls = (frame(HEADERS, END_HEADERS, number, call(UNARY)) +
                         frame(RST_STREAM, 0, number, CANCEL)
                         for number in range(stream, stream + 200, 2))
                if not attacker.send(*calls):
                    break
            core.expect_cut(attacker)


def header_bomb(core, _):
    """One header block of 33 MB, in pieces; and one in a thousand empty ones."""
    for piece, count in ((b"\x00" * 16_000, 2_100), (b"", 1_000)) * 5:
        with Attacker(core.port) as attacker:
            attacker.greet()
            attacker.send(frame(HEADERS, 0, 1, call(UNARY)))
            for _ in range(count):
                if not attacker.send(frame(CONTINUATION, 0, 1, piece)):
                    break
            core.expect_cut(attacker)


def four_gigabytes(core, _):
    """Requests that announce 4 GB and bring what they can."""
    with_key = call("wattmint.v1.ReadingService/SubmitReadings", core.key)
    attackers = [Attacker(core.port) for _ in range(20)]
    for attacker in attackers:
        attacker.greet(agree=True)
        attacker.socket.settimeout(0.2)  # the server's window ends it
        for stream in range(1, 21, 2):
            attacker.send(frame(HEADERS, END_HEADERS, stream, with_key),
                          frame(DATA, 0, stream, b"\x00\xff\xff\xff\xff"))
        for piece in range(200):
            attacker.send(frame(DATA, 0, 1 + piece % 10 * 2, bytes(16_384)))
    for attacker in attackers:
        attacker.socket.close()


def descriptor_flood(core, honest):
    """More connections than the core has descriptors; every other one says hello."""
    attackers = []
    for number in range(2 * DESCRIPTORS):
        try:
            attacker = Attacker(core.port, f"127.0.0.{2 + number % 8}")
        except OSError:
            continue
        attackers.append(attacker)
        if number % 2:
            attacker.greet()
    honest.wait_for_answers(2)
    for attacker in attackers:
        attacker.socket.close()


def silence(core, _):
    """Connections that say nothing, or not enough, until they are closed."""
    attackers = [Attacker(core.port, f"127.0.0.{2 + number % 8}") for number in range(500)]
    for attacker in attackers[::3]:
        attacker.send(b"PRI * HTTP/2.0\r\n")
    assert all(attacker.is_cut(10) for attacker in attackers) or not core.has_door
    for attacker in attackers:
        attacker.socket.close()


def many_streams(core, _):
    """20,000 calls on one connection that never end; with the server's limit agreed to, or not."""
    for agree in (True, False):
        with Attacker(core.port) as attacker:
            attacker.greet(agree)
            for stream in range(1, 2 * STREAMS, 200):
                if not attacker.send(*(frame(HEADERS, END_HEADERS, number, call(UNARY, core.key))
                                       for number in range(stream, stream + 200, 2))):
                    break
            if not agree:
                core.expect_cut(attacker)


ATTACKS = {rapid_reset: ["many_resets"], header_bomb: ["large_headers"], four_gigabytes: [],
           descriptor_flood: [], silence: ["silent"], many_streams: ["many_streams"]}


def attack(core, kind):
    """One attack beside somebody honest, who is answered, and in time."""
    before, begin, cpu = core.memory_mib(), time.monotonic(), core.cpu_seconds()
    core.reset_peak()
    with Honest(core.program) as honest:
        kind(core, honest)
    if honest.error:
        raise honest.error
    grown = core.memory_mib("VmHWM") - before
    core.peak_mib = max(core.peak_mib, core.memory_mib("VmHWM"))
    print(f"  {kind.__name__}: {time.monotonic() - begin:.1f} s; {len(honest.seconds)} answers, "
          f"after {max(honest.seconds):.2f} s at most; CPU of the core "
          f"{core.cpu_seconds() - cpu:.2f} s; memory {before:.0f} to {before + grown:.0f} MiB",
          flush=True)
    assert max(honest.seconds) < ANSWER_SECONDS_MAX, honest.seconds


def limit_descriptors(pid):
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def main(binary, address="0.0.0.0:0"):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * DESCRIPTORS, 4 * DESCRIPTORS))
    with Program(binary) as program:
        place = program.start("core", "--metrics", "127.0.0.1:0", gate=limit_descriptors,
                              grpc=address)
        core = Core(program, place)
        program.run("meter", "register", "H-0", "--owner", "ann")
        subscriber = Subscriber(program)
        begin = core.memory_mib()
        try:
            for kind in ATTACKS:
                attack(core, kind)
            grown = core.peak_mib - begin
            watched = subscriber.read(Honest.count)
        finally:
            subscriber.end()
        print(f"  in all: {Honest.count} answers, memory {begin:.1f} to {begin + grown:.1f} MiB")
        assert watched == [f"H-{number}" for number in range(1, Honest.count + 1)], watched
        if core.has_door:
            refused = {reason: count for reason, count in core.refused().items() if count}
            print(f"  refused: {refused}")
            assert set(refused) >= {reason for reasons in ATTACKS.values() for reason in reasons}
            assert grown < GROWTH_MIB_MAX, grown
        assert program.stop() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
