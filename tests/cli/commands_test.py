#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of the real program against a real core."""

import json
import os
import re
import subprocess

from program import METERS, ROOT, Program, main

HOUR = "2026-01-01T{:02}:00:00Z"
WALLET = "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur"
KEY = "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"


def rows(*lines):
    return "meter_id,interval_start,interval_end,energy_kwh,quality\n" + "".join(
        line + "\n" for line in lines)


def row(meter, hour, kwh, quality="A"):
    return f"{meter},{HOUR.format(hour)},{HOUR.format(hour + 1)},{kwh},{quality}"


def meters_are_registered_once(program):
    program.start()
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    _, error = program.run("meter", "register", "M-1", "--owner", "bob", expect=1)
    assert "ALREADY_EXISTS" in error, error
    _, error = program.run("meter", "register", "M-2", "--owner", "ann", "--wallet", "x", expect=2)
    assert error.count("\n") == 1 and "INVALID_ARGUMENT" in error, error
    program.run("meter", "register", "--from-csv", METERS)
    assert len(program.json("meter", "list")) == 18
    assert [m["meter_id"] for m in program.json("meter", "list", "--owner", "ann")] == ["M-1"]
    assert program.json("meter", "transfer", "M-1", "--owner", "bob")[0]["user_id"] == "bob"
    assert program.json("meter", "set-wallet", "M-1", WALLET)[0]["wallet_address"] == WALLET
    assert program.json("meter", "set-key", "M-1", KEY)[0]["public_key"] == KEY
    out, _ = program.run("meter", "get", "M-1")
    assert "bob" in out and KEY in out, out
    assert program.json("meter", "set-key", "M-1", "")[0]["public_key"] == ""
    program.run("meter", "register", "M-3", "--owner", "ann", "--public-key", KEY)
    keyed = program.path("k.csv", f"meter_id,user_id,wallet_address,public_key\nM-3,ann,,{KEY}\n"
                         "M-4,ann,,\nM-5,ann,,x\n")
    out, error = program.run("meter", "register", "--from-csv", keyed, expect=3)
    assert out.count(KEY) == 1 and "M-4" in out and "line 4" in error, out + error
    bad = program.path("m.csv", "meter_id,user_id,wallet_address\nM-8,ann,\nM 9,ann,\nM-7\n")
    out, error = program.run("meter", "register", "--from-csv", bad, expect=3)
    assert "M-8" in out and "line 3" in error and "line 4" in error, error


def each_bad_row_has_its_reason(program):
    program.start("core", "--auto-mint", "false")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    file = program.path("rows.csv", rows(
        row("M-1", 1, "1.5"), row("M-1", 2, "NaN"), "broken", row("M-9", 3, "1"),
        row("M-1", 4, "100.000000001"), row("M-1", 5, "-1"), '"M-1', row("M-1", 6, "2"),
        row("M-1", 1, "1.6"),
        f"M-1,2026-01-01T06:30:00Z,{HOUR.format(8)},1,A"))
    out, error = program.run("import", file, "--any-age", "--output", "json", expect=3)
    reasons = re.search(r'"rejected_by_reason":(\{[^}]*\})', out)[1]
    assert reasons == ('{"ENERGY_NEGATIVE":"1","ENERGY_TOO_HIGH":"1",'
                       '"EXISTS_WITH_DIFFERENT_ENERGY":"1","METER_UNKNOWN":"1",'
                       '"OVERLAPS_READING":"1"}'), reasons
    assert '"accepted":"2"' in out and '"broken":"3"' in out, out
    for line in ("line 3: ", "line 4: ", "line 8: a quote that is not closed", "line 5: METER_"):
        assert line in error, error
    report, = program.json("import", file, "--any-age", expect=3)
    assert report["existed"] == "2" and report["accepted"] == "0", report
    report, = program.json("import", file, expect=3)
    assert report["existed"] == "2", "idempotency comes before the age"


def the_benchmarks_succeed_beside_a_bare_server(program):
    program.start()
    small = ["--messages", "200", "--subscribers", "4", "--connections", "3",
             "--subscriptions", "5", "--checks", "4"]
    results = program.json("bench", *small)
    tests = ["broadcast", "connections", "subscriptions", "health"]
    assert [(r["test_name"], r["server"]) for r in results] == [
        (test, server) for test in tests for server in ("core", "bare")], results
    for result in results:
        assert result["success_rate"] == 1 and result["error_count"] == "0", result
        assert result["duration"] > 0 and result["operations_per_second"] > 0, result
        assert result["memory_usage_mb"] > 1, result
    supply, = program.json("ledger", "supply")
    assert supply["open_tasks"] == "0", "what it submits is never minted"
    out, _ = program.run("bench", "--test", "health", "--connections", "1", "--checks", "2")
    assert out.count("health") == 2 and "broadcast" not in out, out


def standard_input_and_local_times_are_read(program):
    program.start()
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    text = "NMI;when;out\n" + "".join(
        f"M-1;2025-10-26 0{hour}:{minute:02};0.25\n"
        for hour in (1, 2, 2, 3) for minute in (0, 15, 30, 45))
    report, = program.json("import", "-", "--any-age", "--timezone", "Europe/Zurich", "--column",
                           "start=when", "--column", "energy=out", "--interval", "15m", stdin=text)
    assert report["accepted"] == "16", report


def a_meter_signs_what_it_reports(program):
    """The example of protos/README.md, and the same key at work."""
    example = program.path("example.key", "01" * 32 + "\n")
    text = ["submit", "roof-1", "1.250", "--start", "2026-06-01T12:00:00Z", "--interval", "15m",
            "--counter", "42", "--print-text"]
    os.chmod(example, 0o644)
    _, error = program.run(*text, "--meter-key-file", example, expect=1)
    assert "chmod 600" in error, error
    os.chmod(example, 0o600)
    with open(os.path.join(ROOT, "protos", "README.md"), encoding="utf-8") as file:
        readme = file.read()
    out, _ = program.run(*text)
    assert out.startswith("wattmint reading 1\n") and f"```\n{out}```" in readme, out
    signed, = program.json(*text, "--meter-key-file", example)
    assert signed["text"] == out, signed
    assert f"`{signed['meter_signature']}`" in readme and signed["public_key"] == KEY, signed
    _, error = program.run("submit", "roof-1", "1", "--print-text", expect=2)
    assert "--counter" in error, error

    secret = program.path("meter.key")
    make_key = [program.binary, "meter", "make-key", secret, "--output", "json"]
    key = json.loads(subprocess.run(make_key, capture_output=True, check=True).stdout)
    again = subprocess.run(make_key, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "meter.key" in again.stderr, again
    program.start("core", "--auto-mint", "false")
    program.run("meter", "register", "M-1", "--owner", "ann", "--public-key", key["public_key"])
    sign = ["--meter-key-file", secret, "--counter"]
    hour = ["--interval", "1h", "--any-age", "--start"]
    out, _ = program.run("submit", "M-1", "1.5", *hour, HOUR.format(1), expect=3)
    assert "METER_SIGNATURE_MISSING" in out, out
    program.run("submit", "M-1", "1.5", *hour, HOUR.format(1), *sign, "7")
    out, _ = program.run("submit", "M-1", "2.5", *hour, HOUR.format(2), *sign, "7", expect=3)
    assert "METER_COUNTER_REPLAYED" in out, out
    out, _ = program.run("submit", "M-1", "2.5", *hour, HOUR.format(2), "--counter", "8",
                         "--meter-key-file", example, expect=3)
    assert "METER_SIGNATURE_INVALID" in out, out
    program.run("submit", "M-1", "2.5", "--channel", "consumption", "--quality", "estimated",
                *hour, HOUR.format(2), *sign, "8")


def one_reading_is_submitted_and_minted_by_hand(program):
    program.start("core", "--auto-mint", "false")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    result, = program.json("submit", "M-1", "2.01")
    assert result["outcome"] == "SUBMIT_OUTCOME_ACCEPTED", result
    refused, _ = program.run("submit", "M-1", "lots", expect=3)
    assert refused.startswith("refused, ENERGY_INVALID"), refused
    task, = program.json("mint", "list", "--state", "pending")
    assert task["state"] == "MINT_STATE_PENDING" and task["energy_kwh"] == "2.01", task
    program.run("mint", "reading", result["reading_id"])
    events = program.json("watch", "--type", "TokensMinted", "--from", "beginning", "--count", "1")
    assert events[0]["tokens_minted"]["base_units"] == "2010000000", events
    task, = program.json("mint", "get", "--reading", result["reading_id"])
    assert task["state"] == "MINT_STATE_CONFIRMED", task
    balance, = program.json("ledger", "balance", WALLET)
    assert balance["base_units"] == "2010000000", balance
    supply, = program.json("ledger", "supply")
    assert supply["balanced"] and not supply["automatic"], supply
    program.run("mint", "pause", "--reason", "test")
    assert program.json("status")[0]["core"]["paused"]
    program.run("mint", "resume")
    program.run("mint", "retry", task["task_id"], expect=1)
    report, = program.json("ledger", "reconcile")
    assert report["healthy"] and report["mints_checked"] == "1", report
    verified, = program.json("ledger", "verify")
    assert verified["mints"] == "1" and not verified["log"]["sums_compared"], verified
    assert program.stop() == 0
    verified, = program.json("ledger", "verify")
    assert verified["mints"] == "1" and verified["supply_base_units"] == "2010000000", verified
    assert verified["log"]["confirmed_kwh"] == "2.01" and verified["log"]["sums_compared"], verified
    _, error = program.run("ledger", "verify", "--public-key", WALLET, expect=1)
    assert error.count("\n") == 1, error


def what_is_in_quarantine_is_released_or_discarded(program):
    program.start("core", "--auto-mint", "true")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    file = program.path("rows.csv", rows(
        row("M-1", 1, "65.535"), row("M-1", 2, "99.999"), row("M-1", 3, "0")))
    report, = program.json("import", file, "--any-age")
    assert report["quarantined"] == "2" and report["accepted"] == "3", report
    first, second = program.json("mint", "list", "--state", "parked")
    assert first["reason"].startswith("QUARANTINE_SENTINEL: 65.535 kWh"), first
    table, _ = program.run("mint", "list", "--state", "parked")
    assert "QUARANTINE_SENTINEL" in table, table
    program.run("mint", "retry", first["task_id"])
    program.run("mint", "discard", second["task_id"], expect=2)
    gone, = program.json("mint", "discard", second["task_id"], "--reason", "broken display")
    assert gone["state"] == "MINT_STATE_REJECTED", gone
    assert gone["reason"] == "DISCARDED: broken display", gone
    events = program.json("watch", "--type", "TokensMinted", "--from", "beginning", "--count", "1")
    assert events[0]["tokens_minted"]["base_units"] == "65535000000", events
    assert program.json("mint", "list", "--state", "parked") == []
    assert program.stop() == 0
    program.start("core", "--quarantine", "false")
    _, error = program.run("submit", "M-1", "32.767", "--output", "json")
    assert program.json("mint", "list", "--state", "parked") == [], error


def readings_are_corrected_and_withdrawn(program):
    program.start("core", "--auto-mint", "true")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    program.run("import", program.path("rows.csv", rows(
        row("M-1", 1, "2", "E"), row("M-1", 2, "0"))), "--any-age")
    estimate, zero = program.json("reading", "list", "--meter", "M-1")
    assert estimate["mint_state"] == "MINT_STATE_NOT_APPLICABLE", estimate
    refused, _ = program.run("reading", "correct", estimate["reading_id"], "1000", "--reason", "x",
                             expect=3)
    assert refused.startswith("refused, ENERGY_TOO_HIGH"), refused
    final, = program.json("reading", "correct", estimate["reading_id"], "2.5", "--quality", "final",
                          "--reason", "the final value")
    assert final["energy_kwh"] == "2.5", final
    events = program.json("watch", "--type", "TokensMinted", "--from", "beginning", "--count", "1")
    assert events[0]["tokens_minted"]["base_units"] == "2500000000", events
    table, _ = program.run("reading", "get", estimate["reading_id"])
    assert "ESTIMATED" in table and "the final value" in table and "CONFIRMED" in table, table
    _, error = program.run("reading", "withdraw", estimate["reading_id"], "--reason", "x", expect=1)
    assert "ALREADY_MINTED" in error and "2.5 GRX" in error, error
    gone, = program.json("reading", "withdraw", zero["reading_id"], "--reason", "not ours")
    assert gone["mint_state"] == "MINT_STATE_REJECTED", gone
    got, = program.json("reading", "get", zero["reading_id"])
    assert got["corrections"][0]["kind"] == "CORRECTION_KIND_WITHDRAWN", got
    lines, _ = program.run("watch", "--from", "beginning", "--until-caught-up")
    assert "2.5 kWh instead of 2" in lines and "not ours" in lines, lines


def ledger_and_log_that_disagree_are_told(program):
    program.start("core", "--auto-mint", "true")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    program.json("submit", "M-1", "2")
    program.json("watch", "--type", "TokensMinted", "--from", "beginning", "--count", "1")
    assert "2 GRX on the ledger = 2 confirmed + 0 in work\n" in program.run("status")[0]
    program.alter("wattmint.db", "UPDATE mint_tasks SET state = 6 WHERE task_id = 1")
    out, error = program.run("ledger", "reconcile", expect=1)
    assert "NOT_CONFIRMED" in out and "PARKED" in out, out
    assert "disagree in 1 mints" in error and error.count("\n") == 1, error
    program.kill()
    out, error = program.run("ledger", "verify", expect=1)
    assert "balances are right" in out and "task 1 is PARKED with 2 GRX" in error, out + error
    program.start()
    report, = program.json("ledger", "reconcile", expect=1)
    assert report["discrepancies"][0]["ledger_base_units"] == "2000000000", report


def users_see_what_is_theirs(program):
    program.start()
    for user in ("ann", "bob"):
        program.run("meter", "register", f"M-{user}", "--owner", user, "--wallet", WALLET)
    key, = program.json("key", "create", "ann", "--role", "user", "--name", "test")
    as_ann = {"WATTMINT_API_KEY": key["secret"]}
    assert program.json("key", "whoami", env=as_ann)[0]["user_id"] == "ann"
    assert [m["meter_id"] for m in program.json("meter", "list", env=as_ann)] == ["M-ann"]
    _, error = program.run("meter", "get", "M-bob", env=as_ann, expect=1)
    assert "PERMISSION_DENIED" in error, error
    program.run("submit", "M-ann", "1", env=as_ann)
    _, _ = program.run("submit", "M-bob", "1")
    events = program.json("watch", "--from", "beginning", "--until-caught-up", env=as_ann)
    assert events and "bob" not in str(events), events
    _, error = program.run("watch", "--user", "bob", env=as_ann, expect=1)
    assert "PERMISSION_DENIED" in error, error
    program.run("key", "ticket", env=as_ann)
    program.run("key", "revoke", key["api_key"]["key_id"])
    _, error = program.run("key", "whoami", env=as_ann, expect=1)
    assert "REVOKED_API_KEY" in error and key["secret"] not in error, error
    out, _ = program.run("key", "create", "eve", "--role", "ingest", "--requests-per-second", "50",
                         "--expires", "2099-01-01T00:00:00Z")
    assert re.search(r"roles\s+INGEST", out), out
    assert program.stop() == 0
    program.start()
    out, _ = program.run("key", "list")
    lines = {user: next(line for line in out.splitlines() if f" {user} " in line).rstrip()
             for user in ("ann", "eve", "local-admin", "local-bridge")}
    times = {user: len(re.findall(r"\b20\d\d-\d\d-\d\d", line)) for user, line in lines.items()}
    assert times["ann"] == 3, "made, revoked and, before the restart, used: " + out
    assert re.search(r"INGEST .*2099-01-01.* 50  never$", lines["eve"]), out
    assert "admin.key" in lines["local-admin"] and times["local-admin"] == 2, out
    assert lines["local-bridge"].endswith("never") and "1970" not in out, out


def watch_goes_on_where_it_ended(program):
    program.start("core", "--auto-mint", "false")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    program.run("submit", "M-1", "1")
    first, error = program.run("watch", "--from", "beginning", "--until-caught-up")
    position = re.search(r"--from (\S+)", error)[1]
    program.run("meter", "register", "M-2", "--owner", "ann")
    events = program.json("watch", "--from", position, "--until-caught-up")
    assert len(events) == 1 and "meter_changed" in events[0], events
    assert int(events[0]["sequence"]) == first.count("\n") + 1, events
    assert program.json("watch", "--from", "oldest", "--until-caught-up")[-1] == events[0]
    since = program.json("watch", "--from", events[0]["time"], "--until-caught-up")
    assert since == events, since
    for nonsense, why in (("nonsense", "INVALID_ARGUMENT"), ("2026-13-01T00:00:00Z", "month")):
        _, error = program.run("watch", "--from", nonsense, expect=2)
        assert why in error, error


def alerts_and_notifications_are_sent_once(program):
    program.start("core", "--auto-mint", "false")
    key, = program.json("key", "create", "ann", "--role", "user", "--name", "test")
    as_ann = {"WATTMINT_API_KEY": key["secret"]}
    alert = ["alert", "send", "maintenance at 18:00", "--kind", "maintenance", "--severity",
             "warning", "--request-id", "r-1"]
    first, = program.json(*alert)
    again, = program.json(*alert)
    assert again["sequence"] == first["sequence"] and again["existed"], again
    out, _ = program.run("alert", "notify", "bob", "for bob")
    assert out.startswith("sent as event "), out
    program.run("alert", "notify", "ann", "for ann", "--severity", "critical")
    program.run("alert", "notify", "ann", "for ann", "--severity", "critical")
    _, error = program.run("alert", "send", "other", "--request-id", "r-1", expect=1)
    assert "ALREADY_EXISTS" in error, error
    _, error = program.run("alert", "send", "text", "--severity", "loud", expect=2)
    assert "loud" in error, error
    _, error = program.run("alert", "send", "text", env=as_ann, expect=1)
    assert "PERMISSION_DENIED" in error, error
    lines, _ = program.run("watch", "--from", "beginning", "--until-caught-up", env=as_ann)
    assert lines.count("WARNING  maintenance: maintenance at 18:00") == 1, lines
    assert lines.count("ann  CRITICAL: for ann") == 2 and "bob" not in lines, lines


def a_directory_has_one_core(program):
    program.start()
    _, error = program.run("core", "--grpc", "127.0.0.1:0", expect=1)
    assert "a core runs on data directory" in error and error.count("\n") == 1, error
    assert program.stop() == 0
    _, error = program.run("status", expect=1)
    assert "no core answers" in error, error


def a_taken_address_is_said(program):
    address = program.start()["core"]
    with Program(program.binary) as other:
        _, error = other.run("core", "--grpc", address, expect=1)
        assert address in error, error


if __name__ == "__main__":
    main([meters_are_registered_once, each_bad_row_has_its_reason,
          the_benchmarks_succeed_beside_a_bare_server, standard_input_and_local_times_are_read,
          a_meter_signs_what_it_reports,
          one_reading_is_submitted_and_minted_by_hand,
          what_is_in_quarantine_is_released_or_discarded, readings_are_corrected_and_withdrawn,
          ledger_and_log_that_disagree_are_told, users_see_what_is_theirs,
          watch_goes_on_where_it_ended, alerts_and_notifications_are_sent_once,
          a_directory_has_one_core, a_taken_address_is_said])
