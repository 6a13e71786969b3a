#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the ledger's key may be: with the real core, real signers, and one that shares no code."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from program import TIMEOUT_SECONDS, Program, main

WALLET = "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur"
MINIMAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "minimal_signer.py")
SEED = "0123456789abcdef" * 4
OTHER_SEED = "fedcba9876543210" * 4


class Signer:
    """A signer's process; its `public_key` is what it says of itself."""

    def __init__(self, program, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the signer ended with {self.process.wait()}")
        self.public_key = json.loads(line)["public_key"] if line[0] == "{" else line.strip()
        program.signers.append(self)

    def stop(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT_SECONDS)


@contextlib.contextmanager
def signers(program):
    """Ends what was started in it."""
    program.signers = []
    try:
        yield program.path("signer.sock")
    finally:
        for signer in program.signers:
            signer.stop()


def start_signer(program, *flags):
    return Signer(program, program.binary, "signer", "--socket", program.path("signer.sock"),
                  "--data", program.path("signer"), "--output", "json", *flags)


def start_minimal(program, *moods):
    socket = program.path("signer.sock")
    if os.path.exists(socket):
        os.unlink(socket)
    return Signer(program, sys.executable, MINIMAL, socket, SEED, *moods)


def start_core(program, *flags):
    return program.start("core", "--auto-mint", "true", "--submit-gap-secs", "0",
                         "--duplicate-window-mins", "0", *flags)


def register(program):
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)


def submit(program, *readings):
    """Imports readings of these hours: (hour, kWh)."""
    rows = "meter_id,interval_start,interval_end,energy_kwh,quality\n" + "".join(
        f"M-1,2026-01-01T{hour:02}:00:00Z,2026-01-01T{hour + 1:02}:00:00Z,{kwh},A\n"
        for hour, kwh in readings)
    report, = program.json("import", program.path("rows.csv", rows), "--any-age")
    assert report["accepted"] == str(len(readings)), report


def wait_for(program, event, count):
    return program.json("watch", "--type", event, "--from", "beginning", "--count", str(count))


def wait_for_reason(program, reason):
    """The task that has this reason, as soon as one has it."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until:
        for task in program.json("mint", "list"):
            if reason in task["reason"]:
                return task
    raise AssertionError(f"no task says: {reason}")


def check_ledger(program, mints, base_units, key):
    """Each was minted once, and the log says the same."""
    supply, = program.json("ledger", "supply")
    assert supply["balanced"] and supply["ledger_mints"] == str(mints), supply
    assert supply["confirmed_tasks"] == str(mints), supply
    assert supply["supply_base_units"] == str(base_units), supply
    program.stop()
    verified, = program.json("ledger", "verify")
    assert verified["mints"] == str(mints) and verified["public_key"] == key, verified


def a_core_mints_by_an_external_signer(program):
    with signers(program) as socket:
        signer = start_signer(program, "--new-key")
        assert os.stat(socket).st_mode & 0o777 == 0o600
        start_core(program, "--signer", socket)
        register(program)
        submit(program, *[(hour, "1.5") for hour in range(20)])
        wait_for(program, "TokensMinted", 20)
        assert not os.path.exists(os.path.join(program.data, "ledger.key"))
        check_ledger(program, 20, 30 * 10**9, signer.public_key)
        assert signer.stop(signal.SIGTERM) == 0 and not os.path.exists(socket)


def mints_wait_for_a_signer_that_was_killed(program):
    with signers(program) as socket:
        key = start_signer(program, "--new-key").public_key
        start_core(program, "--signer", socket)
        register(program)
        submit(program, (0, "1"))
        wait_for(program, "TokensMinted", 1)
        program.signers[0].stop()
        submit(program, *[(hour, "2") for hour in range(1, 6)])
        # Its end comes with a restart of the core, which must not need the signer, either.
        program.kill()
        start_core(program, "--signer", socket)
        submit(program, *[(hour, "4") for hour in range(6, 11)])
        states = [task["state"] for task in program.json("mint", "list")]
        assert len(states) == 11 and states.count("MINT_STATE_CONFIRMED") == 1, states
        assert "MINT_STATE_PARKED" not in states, "a signer that is away is no fault of a mint"
        assert start_signer(program).public_key == key
        wait_for(program, "TokensMinted", 11)
        check_ledger(program, 11, 31 * 10**9, key)


def a_signer_of_somebody_else_needs_the_protocol_only(program):
    with signers(program) as socket:
        key = start_minimal(program).public_key
        start_core(program, "--signer", socket)
        register(program)
        submit(program, *[(hour, "0.000000001") for hour in range(10)])
        wait_for(program, "TokensMinted", 10)
        check_ledger(program, 10, 10, key)


def a_signer_that_goes_wrong_spoils_nothing(program):
    with signers(program) as socket:
        # The first connection is the one that asks for the key.
        signer = start_minimal(program, "well", "wrong", "garbage", "hangup", "silent")
        start_core(program, "--signer", socket, "--signer-timeout-secs", "1")
        register(program)
        submit(program, *[(hour, "1") for hour in range(5)])
        wait_for(program, "TokensMinted", 5)
        check_ledger(program, 5, 5 * 10**9, signer.public_key)


def a_signer_has_limits_of_its_own(program):
    with signers(program) as socket:
        key = start_signer(program, "--new-key", "--max-grx-per-mint", "5",
                           "--max-grx-per-day", "10.5").public_key
        start_core(program, "--signer", socket)
        register(program)
        submit(program, (0, "5"), (1, "5.000000001"), (2, "5"))
        wait_for(program, "TokensMinted", 2)
        parked = wait_for_reason(program, "above the limit of 5 for one mint")
        assert parked["state"] == "MINT_STATE_PARKED", parked
        submit(program, (3, "0.6"), (4, "0.4"))
        put_off = wait_for_reason(program, "the limit of 10.5 GRX for a day is reached")
        assert put_off["state"] != "MINT_STATE_PARKED", put_off
        wait_for(program, "TokensMinted", 3)
        program.signers[0].stop()
        start_signer(program, "--max-grx-per-mint", "6", "--max-grx-per-day", "1000")
        program.run("mint", "retry", parked["task_id"])
        wait_for(program, "TokensMinted", 5)
        check_ledger(program, 5, 16_000_000_001, key)


def a_key_comes_from_the_environment_by_its_name(program):
    with signers(program):
        os.environ["MY_SEED"] = SEED  # program.start() passes it on
        start_core(program, "--ledger-key-env", "MY_SEED")
        del os.environ["MY_SEED"]
        with open(f"/proc/{program.server.pid}/environ", "rb") as own:
            assert SEED[:8].encode() not in own.read(), "the process shows the key"
        register(program)
        submit(program, (0, "1"))
        wait_for(program, "TokensMinted", 1)
        key = start_minimal(program).public_key
        check_ledger(program, 1, 10**9, key)
        assert not os.path.exists(os.path.join(program.data, "ledger.key"))
        # The same key by a file, and by a process that keeps it.
        file = program.path("my.key", SEED + "\n")
        os.chmod(file, 0o600)
        for flags in (["--ledger-key-file", file], ["--signer", program.path("signer.sock")]):
            start_core(program, *flags)
            program.stop()


def a_key_that_is_wrong_stops_the_start(program):
    def refused(*flags, env=None, expect=1):
        _, error = program.run("core", "--grpc", "127.0.0.1:0", *flags, env=env, expect=expect)
        assert error.count("\n") == 1, error
        assert SEED[:8] not in error and OTHER_SEED[:8] not in error, error
        return error

    file = program.path("my.key", SEED)
    os.chmod(file, 0o644)
    assert "chmod 600" in refused("--ledger-key-file", file)
    os.chmod(file, 0o600)
    error = refused("--ledger-key-file", file, "--ledger-key-env", "MY_SEED", expect=2)
    assert "keep one of them" in error, error
    assert "is not set" in refused("--ledger-key-env", "MY_SEED")
    assert "64 hex" in refused("--ledger-key-env", "MY_SEED", env={"MY_SEED": SEED[1:]}, expect=2)
    assert "name of a variable" in refused("--ledger-key-env", SEED, expect=2)
    assert "before the first start" in refused("--signer", program.path("nobody.sock"))
    start_core(program, "--ledger-key-file", file)
    register(program)
    submit(program, (0, "1"))
    wait_for(program, "TokensMinted", 1)
    program.stop()
    error = refused("--ledger-key-env", "MY_SEED", env={"MY_SEED": OTHER_SEED})
    assert "began with key" in error and "bring the first one back" in error, error
    os.unlink(os.path.join(program.data, "ledger.pub"))
    error = refused("--ledger-key-env", "MY_SEED", env={"MY_SEED": OTHER_SEED})
    assert "entry 1 was not signed by key" in error, error
    assert "bring it back" in refused(), "and no new key is made"
    shown, _ = program.run("config", "--ledger-key-env", "MY_SEED", env={"MY_SEED": SEED})
    assert "MY_SEED" in shown and SEED[:8] not in shown, shown


def a_signer_says_what_is_wrong(program):
    socket = program.path("signer.sock")

    def refused(*flags, expect=1):
        done = subprocess.run([program.binary, "signer", *flags],
                              capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
        assert done.returncode == expect and done.stderr.count("\n") == 1, done
        return done.stderr

    usual = ("--data", program.path("signer"), "--socket", socket)
    assert "--socket" in refused(expect=2)
    assert "bring it back" in refused(*usual)
    error = refused(*usual, "--max-grx-per-day", "-5", expect=2)
    assert "GRX above zero" in error, error
    with signers(program):
        start_signer(program, "--new-key")
        assert "a signer runs on" in refused(*usual)
        other = ("--data", program.path("other"), "--new-key", "--socket")
        assert "listens at" in refused(*other, socket)
        assert "no socket" in refused(*other, program.path("file", "not empty"))


if __name__ == "__main__":
    main([a_core_mints_by_an_external_signer, mints_wait_for_a_signer_that_was_killed,
          a_signer_of_somebody_else_needs_the_protocol_only,
          a_signer_that_goes_wrong_spoils_nothing, a_signer_has_limits_of_its_own,
          a_key_comes_from_the_environment_by_its_name, a_key_that_is_wrong_stops_the_start,
          a_signer_says_what_is_wrong])
