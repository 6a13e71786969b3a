#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real program on a disk that fills up and is freed again: it goes on by itself.

The disk is a small tmpfs. Where none may be mounted, the test is skipped and says so.
"""

import itertools
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager

from scenario import SKIPPED, TIMEOUT_SECONDS, Scenario, Step

DISK = "4m"
BLOCK = bytes(4096)
# Blocks that are left: a reading may fit, and then its minting, or only the first pages of either.
ROOMS = (0, 4, 10, 20, 40)


@contextmanager
def small_disk():
    """The folder of a file system of its own; none where that is not permitted."""
    with tempfile.TemporaryDirectory(prefix="wattmint-disk-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", folder],
            capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            print(f"SKIPPED: no disk can be mounted here: {mounted.stderr.strip()}")
            yield None
            return
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


@contextmanager
def filled(folder, room=0):
    """A ballast file takes everything but so many blocks."""
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as ballast:
        try:
            while ballast.write(BLOCK):
                pass
        except OSError:
            pass
        ballast.truncate(max(0, ballast.tell() - room * len(BLOCK)))
    try:
        yield
    finally:
        os.remove(path)


def a_core_refuses_readings_while_there_is_no_room(binary, disk):
    """Whatever the room is just too small for: a reading, the signing, the ledger, the end."""
    with Scenario(binary, os.path.join(disk, "refuses"), one_by_one=True) as scenario:
        assert scenario.start()
        server = scenario.program.server
        first, *steps = enumerate(scenario.steps)
        ask = len(scenario.steps), Step(["ledger", "supply"])
        assert scenario.run(*first, False)
        rooms = itertools.cycle(ROOMS)
        refused = 0
        while steps[1:]:
            with filled(disk, next(rooms)):
                while steps[1:] and scenario.run(*steps[0], True):
                    steps.pop(0)
                refused += len(steps) > 1
                scenario.run(*ask, True)  # the database may want room to be opened again
            while not scenario.run(*steps[0], True):
                pass
            steps.pop(0)
        assert refused >= 2, "it had room all the time"
        scenario.finish(server)


def a_client_that_waits_is_served_when_there_is_room(binary, disk):
    with Scenario(binary, os.path.join(disk, "waits")) as scenario:
        assert scenario.start()
        server = scenario.program.server
        for number, step in enumerate(scenario.steps[:2]):
            assert scenario.run(number, step, False)
        step = scenario.steps[2]
        with filled(disk):
            client = subprocess.Popen(scenario.program.command(*step.arguments, "--output", "json"),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            lost = client.stderr.readline()
            assert "disk is full" in lost and "trying again" in lost, lost
        output, error = client.communicate(timeout=TIMEOUT_SECONDS)
        assert client.returncode == 0, error
        step.check(output, is_repeated=False)
        scenario.finish(server)


def a_core_does_not_start_without_room_and_starts_with_it(binary, disk):
    with Scenario(binary, os.path.join(disk, "starts")) as scenario:
        for room in (0, 1, 3, 10, 30):
            with filled(disk, room):
                assert not scenario.start() and scenario.code == 1, scenario.code
            log = scenario.log()
            assert log.count("\n") == 1 and scenario.program.data in log, log
            os.truncate(scenario.program.log.name, 0)
        scenario.finish()


def main(binary):
    with small_disk() as disk:
        if disk is None:
            return SKIPPED
        for test in (a_core_refuses_readings_while_there_is_no_room,
                     a_client_that_waits_is_served_when_there_is_room,
                     a_core_does_not_start_without_room_and_starts_with_it):
            print(test.__name__, flush=True)
            test(binary, disk)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
