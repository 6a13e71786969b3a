#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real bridge is attacked: its memory stays flat, and honest sessions miss nothing.

Attackers come from addresses of their own, and have a key that may see everything. Meanwhile
honest sessions submit readings and receive what comes of them, and newcomers come, one by one.

bridge_attack_test.py BINARY [ATTACK...]: these attacks alone, once.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.request

import bridge_attacks
from attacked import Attacker, Process
from honest_sessions import HonestSessions, check
from scenario import TIMEOUT_SECONDS, Program
from program import GATE  # behind scenario, which knows where it is
from websocket import WebSocket

GROWTH_MIB_MAX = 100
SECOND_ROUND_MIB_MAX = 20
DELIVERIES = 60  # that calm is measured by; an attack by half as many
CONNECTIONS = 1_000  # that the bridge takes; and 512 requests
DESCRIPTORS = 256
OPENED = 400
CPU_SHARE_MAX = 0.5  # of a bridge without descriptors, that has nothing to do
USERS = 12
HISTORY = 15_000  # readings


class Bridge(Process):
    """A bridge in a process of its own."""

    def __init__(self, program, *flags, descriptors=None):
        self.server = subprocess.Popen(
            [*GATE, program.binary, "bridge", "--data", program.data, "--http", "127.0.0.1:0",
             "--bridge-metrics", "127.0.0.1:0", "--log-level", "error", "--output", "json", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        super().__init__(self.server.pid)
        if descriptors:
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.server.stdin.write("\n")
        self.server.stdin.close()
        place = json.loads(self.server.stdout.readline())
        self.port, self.metrics = int(place["bridge"].rsplit(":", 1)[1]), place["bridge_metrics"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()

    def stop(self):
        self.server.send_signal(signal.SIGINT)
        return self.server.wait(TIMEOUT_SECONDS)

    def sessions(self):
        """How many are open."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=30) as page:
            return next(int(line.split()[1]) for line in page.read().decode().splitlines()
                        if line.startswith("wattmint_bridge_sessions "))


class Target:
    """What an attack knows."""

    def __init__(self, bridge, key, honest):
        self.port, self.key, self.honest = bridge.port, key, honest
        self.connections = CONNECTIONS
        self.is_patient = True  # waits until it is cut, if that takes long
        self.during = ([], [])

    def wait_for_deliveries(self, count):
        """Until the honest sessions have received so many more."""
        latencies, newcomers, _ = self.honest.report(count)
        self.during[0].extend(latencies)
        self.during[1].extend(newcomers)


def spread(seconds):
    """The middle, the 99th of 100, and the last, in ms."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    return "/".join(f"{1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]:.0f}"
                    for share in (0.5, 0.99, 1))


def attack(bridge, target, kind, before):
    """One attack; answers the calm after it, and the most memory. `before`: the calm before."""
    memory, begin, cpu = bridge.memory_mib(), time.monotonic(), bridge.cpu_seconds()
    bridge.reset_peak()
    target.during = ([], [])
    times = 0
    while len(target.during[0]) < DELIVERIES // 2:
        kind(target)
        times += 1
        target.wait_for_deliveries(0)
    seconds, cpu = time.monotonic() - begin, bridge.cpu_seconds() - cpu
    during, newcomers = target.during
    after, later, refused = target.honest.report(DELIVERIES)
    peak = bridge.memory_mib("VmHWM")
    print(f"  {kind.__name__} {times} x: {seconds:.1f} s, CPU {cpu:.2f} s, memory {memory:.0f} to "
          f"{peak:.0f} MiB; p50/p99/last in ms before {spread(before)}, during {spread(during)}, "
          f"after {spread(after)}; newcomers {spread(newcomers + later)} of "
          f"{len(newcomers + later)}, refused {len(refused)}", flush=True)
    assert not refused, refused
    return after, peak


def settle(bridge, honest_count):
    """Until the sessions of attackers are gone; newcomers come and go."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while bridge.sessions() > honest_count + 2:
        assert time.monotonic() < end, f"{bridge.sessions()} sessions are left"


def rounds(program, users, key, kinds):
    """Everything twice, beside the same honest sessions."""
    with Bridge(program, "--max-connections", str(CONNECTIONS)) as bridge:
        honest = HonestSessions(bridge.port, users, key, days_ago=6)
        target = Target(bridge, key, honest)
        honest_count = bridge.sessions()
        calm, _, _ = honest.report(2 * DELIVERIES)
        begin, ends, peaks = bridge.memory_mib(), [], []
        for kind in kinds[0]:
            calm, peak = attack(bridge, target, kind, calm)
            peaks.append(peak)
        settle(bridge, honest_count)
        ends.append(bridge.memory_mib())
        target.is_patient = False
        for kind in kinds[1]:
            calm, peak = attack(bridge, target, kind, calm)
            peaks.append(peak)
        settle(bridge, honest_count)
        ends.append(bridge.memory_mib())
        told = honest.finish()
        check(told)
        print(f"  in all: {sum(len(events) for _, _, events in told)} deliveries; memory "
              f"{begin:.1f}, at most {max(peaks):.1f}, after the rounds "
              f"{ends[0]:.1f} and {ends[1]:.1f} MiB; CPU {bridge.cpu_seconds():.1f} s")
        assert max(peaks) - begin < GROWTH_MIB_MAX, peaks
        assert ends[1] - ends[0] < SECOND_ROUND_MIB_MAX, ends
        assert bridge.stop() == 0


def few_descriptors(program, users, key):
    """More connections than descriptors: honest sessions go on, newcomers get in, nothing spins."""
    with Bridge(program, descriptors=DESCRIPTORS) as bridge:
        honest = HonestSessions(bridge.port, users, key, days_ago=3)
        honest_count = bridge.sessions()
        honest.report(DELIVERIES)
        attackers = []
        for number, address in enumerate(bridge_attacks.crowd(OPENED)):
            with contextlib.suppress(OSError):
                kind = WebSocket if number % 2 else Attacker
                attackers.append(kind(bridge.port, address))
        begin, cpu = time.monotonic(), bridge.cpu_seconds()
        during, newcomers, refused = honest.report(3 * DELIVERIES)
        share = (bridge.cpu_seconds() - cpu) / (time.monotonic() - begin)
        print(f"  few_descriptors: {len(attackers)} opened; {spread(during)} ms, newcomers "
              f"{spread(newcomers)} of {len(newcomers)}, refused {len(refused)}; "
              f"CPU {100 * share:.0f} %")
        for attacker in attackers:
            attacker.socket.close()
        assert newcomers and not refused, refused
        assert share < CPU_SHARE_MAX, share
        settle(bridge, honest_count)
        check(honest.finish())
        assert bridge.stop() == 0


def import_history(program):
    """Readings of long ago, so that there is something to be slow at."""
    lines = ["meter_id,interval_start,interval_end,energy_kwh"]
    for number in range(HISTORY):
        hour, minute, second = number // 3600, number // 60 % 60, number % 60
        start = f"2026-01-01T{hour:02}:{minute:02}:{second:02}Z"
        hour, minute, second = (number + 1) // 3600, (number + 1) // 60 % 60, (number + 1) % 60
        lines.append(f"OLD,{start},2026-01-01T{hour:02}:{minute:02}:{second:02}Z,0.0001")
    program.run("meter", "register", "OLD", "--owner", "nobody")
    program.run("import", program.path("old.csv", "\n".join(lines) + "\n"), "--any-age")


def make_users(program):
    """Their names, keys and meters."""
    users = []
    for number in range(USERS):
        name, meter = f"user-{number}", f"M-{number}"
        program.run("meter", "register", meter, "--owner", name)
        made, = program.json("key", "create", name, "--role", "user", "--role", "ingest")
        users.append((name, made["secret"], meter))
    return users


def main(binary, *names):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kinds = [kind for kind in bridge_attacks.ATTACKS if not names or kind.__name__ in names]
    with Program(binary) as program:
        program.start()
        with open(os.path.join(program.data, "admin.key"), encoding="ascii") as file:
            key = file.read().strip()
        import_history(program)
        users = make_users(program)
        if kinds:
            rounds(program, users, key, (kinds, [] if names else kinds))
        if not names or "few_descriptors" in names:
            few_descriptors(program, users, key)
        assert program.stop() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
