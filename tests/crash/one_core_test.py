#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A data directory has one core, whoever comes second and however the first one ended."""

import os
import subprocess
import sys

from scenario import TIMEOUT_SECONDS, Program

ROUNDS = 5


def refused(program, command="core", data=None):
    """What a second server says before it ends."""
    done = subprocess.run(
        [program.binary, command, "--data", data or program.data, "--grpc", "127.0.0.1:0"],
        capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


def the_second_is_told_who_holds_it(program):
    program.start()
    link = program.path("link")
    os.symlink(program.data, link)
    for command, data in (("core", program.data), ("up", program.data), ("core", link)):
        error = refused(program, command, data)
        assert "a core runs on data directory" in error and error.count("\n") == 1, error
        assert f"held by process {program.server.pid};" in error, error
    assert program.json("status")[0]["core"], "the first is as it was"
    assert program.stop() == 0


def a_killed_core_holds_nothing(program):
    for _ in range(ROUNDS):
        program.start()
        assert str(program.server.pid) in refused(program)
        program.kill()
    # Its number may be another's by now.
    with open(os.path.join(program.data, "core.lock"), "w", encoding="utf-8") as lock:
        lock.write(str(os.getpid()))
    program.start()
    assert program.stop() == 0


def of_those_that_start_at_once_one_runs(program):
    for _ in range(ROUNDS):
        starters = [subprocess.Popen(
            [program.binary, "core", "--data", program.data, "--grpc", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        ready = [starter for starter in starters if starter.stdout.readline()]
        assert len(ready) == 1, [starter.poll() for starter in starters]
        ready[0].kill()
        for starter in starters:
            _, error = starter.communicate(timeout=TIMEOUT_SECONDS)
            if starter not in ready:
                assert starter.returncode == 1 and "a core runs on" in error, error


if __name__ == "__main__":
    for test in (the_second_is_told_who_holds_it, a_killed_core_holds_nothing,
                 of_those_that_start_at_once_one_runs):
        print(test.__name__, flush=True)
        with Program(sys.argv[1]) as first:
            test(first)
