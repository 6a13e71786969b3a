#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A year of 17 homes through the real program: exact totals, twice, and with kill -9 in the middle.

Source of the figures: tools/data/ORIGIN.md.
"""

import json
import subprocess
import time

from program import HOMES, METERS, TOTALS, main

ROWS = 148_920
TO_MINT = 69_555
SUPPLY = 103_425_401_753_681
EVENTS_BEFORE_MINTING = ROWS + TO_MINT  # each reading, and the task of each that is minted
WAIT_SECONDS = 90


def register(program):
    program.run("meter", "register", "--from-csv", METERS)


def wait_until_minted(program):
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        supply, = program.json("ledger", "supply")
        if supply["open_tasks"] == "0":
            return supply
        assert time.monotonic() < deadline, supply
        time.sleep(0.2)


def check_totals(program):
    """Supply, the totals of each meter, and of all, are exact; the ledger's file is right."""
    supply = wait_until_minted(program)
    assert supply["supply_base_units"] == str(SUPPLY), supply
    assert supply["confirmed_base_units"] == str(SUPPLY), supply
    assert supply["confirmed_kwh"] == "103425.401753681", supply
    assert supply["ledger_mints"] == supply["confirmed_tasks"] == str(TO_MINT), supply
    assert supply["balanced"], supply
    with open(TOTALS, encoding="utf-8") as file:
        totals = json.load(file)
    *meters, total = program.json("ledger", "totals")
    for meter in meters:
        expected = totals.pop(meter["meter_id"])
        assert meter["readings"] == str(expected["rows"]), meter
        assert meter["minted_base_units"] == expected["nano_kwh"], meter
    assert not totals, totals
    assert total["readings"] == str(ROWS) and total["minted"] == str(TO_MINT), total
    assert total["minted_base_units"] == str(SUPPLY), total
    verified, = program.json("ledger", "verify")
    assert verified["supply_base_units"] == str(SUPPLY), verified


def check_events(program):
    """Sequences from 1 without a gap; each reading received once and minted once."""
    watch = subprocess.Popen(
        program.command("watch", "--from", "beginning", "--until-caught-up", "--output", "json"),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    received, minted, units, sequence = set(), set(), 0, 0
    for line in watch.stdout:
        event = json.loads(line)
        sequence += 1
        assert event["sequence"] == str(sequence), event
        if "meter_reading_received" in event:
            reading = event["meter_reading_received"]
            key = (reading["meter_id"], reading["interval_start"])
            assert key not in received, event
            received.add(key)
        elif "tokens_minted" in event:
            mint = event["tokens_minted"]
            key = (mint["meter_id"], mint["interval_start"])
            assert key not in minted, event
            minted.add(key)
            units += int(mint["base_units"])
    assert watch.wait() == 0
    assert len(received) == ROWS and len(minted) == TO_MINT and minted <= received
    assert units == SUPPLY, units


def a_year_is_imported_exactly_and_a_second_time_changes_nothing(program):
    program.start("core", "--auto-mint", "true")
    register(program)
    report, = program.json("import", HOMES, "--any-age")
    assert report["accepted"] == str(ROWS), report
    assert report["not_applicable"] == str(ROWS - TO_MINT), report
    assert report["quarantined"] == "0", report
    print(f"  {report['rows_per_second']} rows/s", flush=True)
    check_totals(program)
    before, = program.json("status")
    report, = program.json("import", HOMES, "--any-age")
    assert report["existed"] == str(ROWS) and report["accepted"] == "0", report
    after, = program.json("status")
    assert before["core"]["last_sequence"] == after["core"]["last_sequence"], after
    check_totals(program)
    check_events(program)
    assert program.stop() == 0


def a_killed_core_loses_nothing_and_doubles_nothing(program):
    program.start("core", "--auto-mint", "true")
    register(program)
    importing = subprocess.Popen(program.command("import", HOMES, "--any-age", "--batch", "500"),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + WAIT_SECONDS
    while int(program.json("status")[0]["core"]["last_sequence"]) < EVENTS_BEFORE_MINTING // 4:
        assert time.monotonic() < deadline
    program.kill()
    importing.kill()
    importing.wait()
    program.start("core", "--auto-mint", "true")
    report, = program.json("import", HOMES, "--any-age")
    assert report["rejected"] == "0" and report["broken"] == "0", report
    assert int(report["accepted"]) > 0 and int(report["existed"]) > 0, report
    assert int(report["accepted"]) + int(report["existed"]) == ROWS, report
    program.kill()  # while it mints
    program.start("core", "--auto-mint", "true")
    check_totals(program)
    check_events(program)


if __name__ == "__main__":
    main([a_year_is_imported_exactly_and_a_second_time_changes_nothing,
          a_killed_core_loses_nothing_and_doubles_nothing])
