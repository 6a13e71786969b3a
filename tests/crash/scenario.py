# SPDX-License-Identifier: Apache-2.0
"""What the crash tests play: meters, readings in several batches, minting; and what must hold."""

import csv
import io
import json
import os
import select
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import Ended, Program  # pylint: disable=wrong-import-position

WALLETS = {"ann": "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur",
           "bob": "US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx"}
OWNERS = {"M-1": "ann", "M-2": "bob", "M-3": "ann"}
BATCH = "2"
LEASE_SECONDS = "1"  # what a killed core had claimed waits so long
# Of each meter, hour by hour. What is not minted, and what a double cannot hold, is among them.
ENERGIES = {"M-1": "2.01 0.000000001 99.999999999 0 1.333333333".split(),
            "M-2": "0.1 0.2 0.3 7.000000007".split(),
            "M-3": "0 100 12.345678901 0.07".split()}
SKIPPED = 77  # what ctest takes for "skipped"
TIMEOUT_SECONDS = 60
UNSTORED = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "no core answers")


class Reading:
    """A row of the scenario."""

    def __init__(self, meter, hour, kwh):
        self.meter, self.kwh = meter, kwh
        self.start, self.end = (f"2026-01-01T{h:02}:00:00Z" for h in (hour, hour + 1))
        self.units = int(Decimal(kwh) * 10**9)
        self.key = (meter, self.start)


READINGS = [Reading(meter, hour, kwh)
            for meter, energies in ENERGIES.items() for hour, kwh in enumerate(energies)]
MINTED = {reading.key: reading.units for reading in READINGS if reading.units}
SUPPLY = sum(MINTED.values())


class Step:
    """A command that the core acknowledges, and the readings that it then has."""

    def __init__(self, arguments, readings=()):
        self.arguments, self.readings = arguments, list(readings)

    def check(self, output, is_repeated):
        """An answer accounts for each reading; what was acknowledged before is there."""
        if not self.readings:
            return
        answer = json.loads(output)
        outcome = answer.get("outcome")
        existed = int(answer.get("existed", outcome == "SUBMIT_OUTCOME_EXISTS"))
        stored = existed + int(answer.get("accepted", outcome == "SUBMIT_OUTCOME_ACCEPTED"))
        assert stored == len(self.readings), f"{self.arguments}: {answer}"
        assert not is_repeated or existed == stored, f"acknowledged, and lost: {answer}"


def rows(readings):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow("meter_id interval_start interval_end energy_kwh".split())
    writer.writerows([r.meter, r.start, r.end, r.kwh] for r in readings)
    return text.getvalue()


class Scenario:
    """One core in a directory of its own, and what it has acknowledged."""

    def __init__(self, binary, data=None, one_by_one=False):
        """`data`: another directory; `one_by_one`: each reading is a step of its own."""
        self.program = Program(binary)
        self.program.data = data or self.program.data
        self.program.log = open(self.program.path("core.log"), "a+", encoding="utf-8")
        self.acknowledged = set()
        self.seen = []  # the events that a subscriber was told of
        self.code = None  # what the core ended with, if it did
        single, others = (READINGS, []) if one_by_one else (READINGS[:1], READINGS[1:])
        meters = "meter_id,user_id,wallet_address\n" + "".join(
            f"{meter},{owner},{WALLETS[owner]}\n" for meter, owner in OWNERS.items())
        self.steps = [
            Step(["meter", "register", "--from-csv", self.program.path("meters.csv", meters)]),
            *(Step(["submit", r.meter, r.kwh, "--start", r.start, "--interval", "1h", "--any-age"],
                   [r]) for r in single)]
        for part in filter(None, (others[:len(others) // 2], others[len(others) // 2:])):
            file = self.program.path(f"{part[0].meter}.csv", rows(part))
            self.steps.append(Step(["import", file, "--any-age", "--batch", BATCH], part))
        self.steps.append(Step(["watch", "--from", "beginning", "--type", "TokensMinted",
                                "--count", str(len(MINTED))]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.__exit__()
        self.program.log.close()

    @property
    def is_alive(self):
        return self.program.server is not None and self.program.server.poll() is None

    def start(self, gate=None):
        """Whether the core is ready, rather than ended. It mints by itself."""
        try:
            self.program.start("core", "--auto-mint", "true", "--mint-lease-secs", LEASE_SECONDS,
                               gate=gate)
            return True
        except Ended as ended:
            self.program.server = None
            self.code = ended.code
            return False

    def stop(self):
        self.code = self.program.stop()

    def log(self):
        """What the core has logged."""
        with open(self.program.log.name, encoding="utf-8") as log:
            return log.read()

    def play(self):
        """As submit_all(), even if the core cannot store something, and beside a subscriber."""
        with open(self.program.path("seen.jsonl"), "w+", encoding="utf-8") as seen:
            with subprocess.Popen(
                    self.program.command("watch", "--from", "beginning", "--output", "json"),
                    stdout=seen, stderr=subprocess.DEVNULL) as subscriber:
                try:
                    self.submit_all(may_refuse=True)
                finally:
                    subscriber.kill()
            seen.seek(0)
            told = [json.loads(line) for line in seen.read().split("\n")[:-1]]
        assert all(a == b for a, b in zip(told, self.seen)), f"{told}\nbefore: {self.seen}"
        self.seen = max(told, self.seen, key=len)

    def submit_all(self, may_refuse=False):
        """Goes through the steps until all are acknowledged, or the core is dead.

        With `may_refuse` a step that the core could not store is taken again.
        """
        steps = list(enumerate(self.steps))
        while steps and self.is_alive:
            if self.run(*steps[0], may_refuse):
                steps.pop(0)

    def run(self, number, step, may_refuse):
        """Whether the step was acknowledged."""
        with subprocess.Popen(self.program.command(*step.arguments, "--output", "json"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
            self.wait_for(command)
            output, error = command.communicate()
        if command.returncode == 0:
            step.check(output, number in self.acknowledged)
            self.acknowledged.add(number)
            return True
        if may_refuse and self.is_alive:
            assert any(word in error for word in UNSTORED), error
            assert "start one" not in error or "no core answers" in error, error
            return False
        try:
            self.program.server.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as alive:
            raise AssertionError(f"{step.arguments}: {error}") from alive
        return False

    def wait_for(self, command):
        """Until it ends; ends it when the core does."""
        ends = {os.pidfd_open(process.pid): process for process in (command, self.program.server)}
        poll = select.poll()
        for descriptor in ends:
            poll.register(descriptor, select.POLLIN)
        ended = poll.poll(TIMEOUT_SECONDS * 1000)
        for descriptor in ends:
            os.close(descriptor)
        if any(ends[descriptor] is command for descriptor, _ in ended):
            return
        command.kill()
        assert ended, f"{command.args} does not end"
        self.program.server.wait(TIMEOUT_SECONDS)  # a traced process ends first, then we are told

    def finish(self, server=None):
        """Restarts a core that is dead, has all steps acknowledged, and checks what must hold.

        `server`: what must have lived through it all.
        """
        if not self.is_alive:
            assert self.start(), f"it does not start again: {self.code}"
        assert server in (None, self.program.server), f"it ended with {self.code}"
        self.submit_all()
        assert self.is_alive, "it died by itself"
        events = self.program.json("watch", "--from", "beginning", "--until-caught-up")
        assert events[:len(self.seen)] == self.seen, f"told and not there: {self.seen}"
        check_events(events)
        check_totals(self.program)
        self.stop()
        assert self.code == 0, f"it stopped with {self.code}"
        verified, = self.program.json("ledger", "verify")
        assert verified["mints"] == str(len(MINTED)), verified
        assert verified["supply_base_units"] == str(SUPPLY), verified
        check_files(self.program.data, events)


def facts(events, name):
    return [event[name] for event in events if name in event]


def check_events(events):
    """No gap; each reading received and minted once, each task created once and confirmed once."""
    assert [int(event["sequence"]) for event in events] == list(range(1, len(events) + 1)), events
    received = facts(events, "meter_reading_received")
    assert sorted(place(fact) for fact in received) == sorted(r.key for r in READINGS), received
    minted = facts(events, "tokens_minted")
    units = sorted((place(fact), int(fact["base_units"])) for fact in minted)
    assert units == sorted(MINTED.items()), minted
    tasks = sorted(fact["task_id"] for fact in minted)
    created = [fact["task_id"] for fact in facts(events, "task_created")]
    assert sorted(created) == tasks, created
    state = dict.fromkeys(created, "MINT_STATE_PENDING")
    for fact in facts(events, "task_status_changed"):
        assert fact["old_state"] == state[fact["task_id"]], fact
        state[fact["task_id"]] = fact["new_state"]
    assert set(state.values()) == {"MINT_STATE_CONFIRMED"}, state
    batches = facts(events, "batch_minting_completed")
    done = sum(fact["successful_mints"] + fact["duplicate_mints"] for fact in batches)
    assert done == len(MINTED), batches


def place(fact):
    return fact["meter_id"], fact["interval_start"]


def check_totals(program):
    """Readings and tokens of each meter, and the supply, to the last unit."""
    *meters, total = program.json("ledger", "totals")
    assert {meter["meter_id"] for meter in meters} == set(OWNERS), meters
    for meter in meters:
        own = [reading for reading in READINGS if reading.meter == meter["meter_id"]]
        assert meter["readings"] == str(len(own)), meter
        assert meter["minted_base_units"] == str(sum(r.units for r in own)), meter
    assert total["readings"] == str(len(READINGS)), total
    assert total["minted_base_units"] == str(SUPPLY), total
    supply, = program.json("ledger", "supply")
    assert supply["balanced"] and supply["supply_base_units"] == str(SUPPLY), supply
    assert supply["ledger_mints"] == supply["confirmed_tasks"] == str(len(MINTED)), supply
    assert supply["open_tasks"] == supply["parked_tasks"] == "0", supply


def check_files(folder, events):
    """The databases, by other eyes than the program's: sound, and each mint for one reading."""
    units = {fact["reading_id"]: (WALLETS[OWNERS[fact["meter_id"]]], int(fact["base_units"]))
             for fact in facts(events, "tokens_minted")}
    for name in ("wattmint.db", "ledger.db"):
        with closing(sqlite3.connect(os.path.join(folder, name))) as database:
            answer = database.execute("PRAGMA integrity_check").fetchall()
            assert answer == [("ok",)], f"{name}: {answer}"
            if name == "ledger.db":
                entries = database.execute(
                    "SELECT idempotency_key, wallet_address, tokens FROM entries"
                    " JOIN wallets USING (wallet_ref)").fetchall()
    assert sorted(entries) == sorted((key, *mint) for key, mint in units.items()), entries
