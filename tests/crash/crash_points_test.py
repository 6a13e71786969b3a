#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the real program at its k-th system call on a file, or lets that call fail, for every k.

The phases of one scenario: its first start (which makes keys and schema) and the rest of it after
a kill, its work, its orderly end, its start after a kill, and going on after a kill between ledger
and log. After each point the core goes on, or is started again; whatever was not acknowledged is
submitted again, and all must be there and minted exactly once.

A point is PHASE/FILE/CALL/K/SPOIL. Threads interleave differently from run to run, so that the same
point may be a neighbouring call.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import strace
from scenario import SKIPPED, Scenario

WORKERS = 2
WRITES = ("pwrite64", "fdatasync")  # of each file by itself
ENTRIES = ("fsync", "ftruncate", "link", "rename", "unlink")  # of all files together
# Phase: the files that it begins with.
PHASES = {"start": None, "begun": "bare", "work": "empty", "stop": "full", "restart": "full",
          "again": "half"}
FROM_START = ("start", "begun", "restart", "again")  # traced before the program's first call
# What becomes of the call: the first number is its own, the second ends a series of failures.
SPOILS = {"SIGKILL": "signal=SIGKILL:when={0}", "EIO": "error=EIO:when={0}",
          "ENOSPC": "error=ENOSPC:when={0}", "EIOs": "error=EIO:when={0}..{1}"}
SERIES = 3
SAMPLE = {"SIGKILL": 28, "EIO": 5, "ENOSPC": 5, "EIOs": 2}  # chosen: a minute of two cores
PASSED_SHARE_MAX = 0.25  # of a sample; a run may make fewer calls than the one that was counted


class Point(NamedTuple):
    """The `number`-th call in a phase, from 1, and what becomes of it."""
    phase: str
    file: str
    call: str
    number: int
    spoil: str

    def __str__(self):
        return "/".join(map(str, self))

    @staticmethod
    def parse(text):
        phase, file, call, number, spoil = text.split("/")
        return Point(phase, file, call, int(number), spoil)


# There are databases, but no key yet, and no entry in them.
BEFORE_KEYS = Point("start", strace.ANY, "link", 1, "SIGKILL")
# The ledger has entries that the log knows as signed only.
IN_BETWEEN = Point("work", "ledger.db-wal", "fdatasync", 2, "SIGKILL")


class Suite:
    """One program, the files that phases begin with, and what became of the points."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.saved = {}  # what was acknowledged and seen when files were saved
        self.outcomes, self.failed = Counter(), []

    def prepare(self):
        """`empty`: after an orderly end; `full`: killed at the end; the others: killed at these."""
        with Scenario(self.binary) as scenario:
            scenario.start()
            scenario.stop()
            self.save("empty", scenario)
            scenario.start()
            scenario.play()
            scenario.program.kill()
            self.save("full", scenario)
        for name, point in (("bare", BEFORE_KEYS), ("half", IN_BETWEEN)):
            with self.scenario(point.phase) as scenario:
                assert self.spoil(point, scenario), f"{point} was not reached"
                self.save(name, scenario)

    def save(self, name, scenario):
        shutil.copytree(scenario.program.data, os.path.join(self.folder, name))
        self.saved[name] = set(scenario.acknowledged), scenario.seen

    def scenario(self, phase):
        scenario = Scenario(self.binary)
        files = PHASES[phase]
        if files:
            shutil.copytree(os.path.join(self.folder, files), scenario.program.data)
            acknowledged, scenario.seen = self.saved[files]
            scenario.acknowledged = set(acknowledged)
        return scenario

    def count(self, phase):
        """{(file, call): how often}.

        strace numbers the calls of each thread. At work a file is written by one; while the core
        starts by two in turn, and of their calls with the same number only the first is a point.
        """
        with self.scenario(phase) as scenario:
            tracer = strace.Tracer(scenario.program.path("strace.log"), WRITES + ENTRIES)
            lines = go_through(phase, scenario, tracer)
            counts = strace.count_calls(lines, scenario.program.data)
            scenario.finish()
        points = {}
        for (file, call), threads in sorted(counts.items()):
            if (file == strace.ANY) == (call in ENTRIES):
                assert len(threads) == 1 or phase in FROM_START, f"{phase} {call} {file}: {threads}"
                points[file, call] = max(threads.values())
        return points

    def play_all(self, pool, points):
        """Whether all were reached, and nothing was wrong."""
        points = list(points)
        outcomes = list(pool.map(self.play, points))
        for point, outcome in zip(points, outcomes):
            self.outcomes[point.spoil, outcome] += 1
            if outcome == "FAILED":
                self.failed.append(point)
        return all(outcome == "reached" for outcome in outcomes)

    def play(self, point):
        """What became of the point."""
        with self.scenario(point.phase) as scenario:
            try:
                is_hit = self.spoil(point, scenario)
                scenario.finish()
            except Exception:  # pylint: disable=broad-except
                print(f"FAILED {point}\n{traceback.format_exc()}{scenario.log()}", flush=True)
                return "FAILED"
        return "reached" if is_hit else "passed"

    def spoil(self, point, scenario):
        program = scenario.program
        tracer = strace.Tracer(
            program.path("strace.log"), [point.call],
            None if point.file == strace.ANY else os.path.join(program.data, point.file),
            SPOILS[point.spoil].format(point.number, point.number + SERIES - 1))
        is_hit = strace.was_spoilt(go_through(point.phase, scenario, tracer))
        if point.spoil == "SIGKILL":
            assert is_hit or scenario.code in (None, 0), f"it ended with {scenario.code}"
        elif point.phase == "work":
            assert scenario.is_alive, f"it ended with {scenario.code}"
        else:
            assert scenario.code in (None, 0, 1), f"it ended with {scenario.code}"
        return is_hit


def go_through(phase, scenario, tracer):
    """Plays the phase under the tracer, until its end or the core's; what was traced."""
    if phase in FROM_START:
        scenario.start(tracer.attach)
    else:
        scenario.start()
        tracer.attach(scenario.program.server.pid)
    if phase in ("work", "again") and scenario.is_alive:
        scenario.play()
    elif phase == "stop":
        scenario.stop()
    return tracer.detach()


def sample(counts, generator):
    """Some points of each spoil: first the first of each file and call, then any."""
    for spoil, size in SAMPLE.items():
        places = [(phase, *place) for phase in PHASES for place in counts[phase]]
        first = [Point(*place, 1, spoil) for place in places]
        others = [Point(*place, number, spoil) for place in places
                  for number in range(2, counts[place[0]][place[1:]] + 1)]
        generator.shuffle(first)
        chosen = first[:size // 2]
        yield from chosen + generator.sample(others, size - len(chosen))


def play_every(suite, counts, spoils, pool):
    """Each spoil of each call, until a phase ends without it."""
    for spoil in spoils:
        for phase in PHASES:
            for (file, call), count in counts[phase].items():
                number, all_reached = 1, True
                while number <= count or all_reached:
                    all_reached = suite.play_all(pool, [
                        Point(phase, file, call, number + i, spoil) for i in range(WORKERS)])
                    number += WORKERS
            print(f"{phase}, {spoil}: {suite.outcomes}", flush=True)


def run(arguments, suite):
    suite.prepare()
    with ThreadPoolExecutor(WORKERS) as pool:
        if arguments.point:
            suite.play_all(pool, [Point.parse(arguments.point)])
            return
        counts = dict(zip(PHASES, pool.map(suite.count, PHASES)))
        calls = sum(sum(places.values()) for places in counts.values())
        print(f"{calls} calls: {counts}", flush=True)
        if arguments.all:
            play_every(suite, counts, arguments.spoil or SPOILS, pool)
            return
        print(f"a sample of them by --seed {arguments.seed}", flush=True)
        suite.play_all(pool, sample(counts, random.Random(arguments.seed)))
        passed = sum(suite.outcomes[spoil, "passed"] for spoil in SPOILS)
        assert passed <= suite.outcomes.total() * PASSED_SHARE_MAX, suite.outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--all", action="store_true", help="every point, not a sample")
    parser.add_argument("--spoil", action="append", choices=SPOILS, help="of --all only these")
    parser.add_argument("--point", help="only this one, as it was printed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wattmint-crash-") as folder:
        reason = strace.why_not(os.path.join(folder, "strace.log"))
        if reason:
            print(f"SKIPPED: nothing can be traced here: {reason}")
            return SKIPPED
        suite = Suite(arguments.binary, folder)
        start = time.monotonic()
        run(arguments, suite)
    print(f"{time.monotonic() - start:.0f} s: {dict(suite.outcomes)}", *suite.failed)
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())
