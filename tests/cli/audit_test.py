# SPDX-License-Identifier: Apache-2.0
"""The audit log, the log and the limits of the real program."""

import json
import os
import signal
import stat
import time

from program import main

PATIENCE_SECONDS = 30
WALLET = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"
ANN = "ann.smith@example.org"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def events(path):
    return [json.loads(line) for line in read(path).splitlines()]


def what_was_done_is_in_the_audit_log(program):
    log = program.path("audit.log")
    program.start("core", "--audit-log", log)
    program.run("meter", "register", "M-ann", "--owner", ANN, "--wallet", WALLET)
    key, = program.json("key", "create", ANN, "--role", "user")
    as_ann = {"WATTMINT_API_KEY": key["secret"]}
    program.run("submit", "M-ann", "1.5", env=as_ann)
    program.run("watch", "--from", "beginning", "--until-caught-up", "--user", ANN, env=as_ann)
    program.run("mint", "pause", env=as_ann, expect=1)
    program.run("mint", "pause")
    program.run("key", "whoami", env={"WATTMINT_API_KEY": "wm_12345678_hush"}, expect=1)
    program.run("key", "revoke", key["api_key"]["key_id"])
    assert program.stop() == 0
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600
    done = events(log)
    calls = [(e["method"].rpartition(".")[2], e["result"]) for e in done if e["event"] == "call"]
    assert calls == [("RegisterMeter", "OK"), ("CreateApiKey", "OK"), ("PauseMinting", "OK"),
                     ("RevokeApiKey", "OK")], done
    assert [e["result"] for e in done if e["event"] == "refused"] == [
        "PERMISSION_MISSING", "INVALID_API_KEY"], done
    opened, = [e for e in done if e["event"] == "stream_opened"]
    assert opened["key"] == key["api_key"]["key_id"], opened
    assert opened["user"] == program.run("key", "audit-name", ANN)[0].strip(), opened
    subscribed, = [e for e in done if e["event"] == "subscribed"]
    assert subscribed["filters"] == [{"users": 1}], subscribed
    ended, = [e for e in done if e["event"] == "stream_ended"]
    assert ended["stream"] == opened["stream"], ended
    for text in (ANN, "M-ann", WALLET, key["secret"], "hush"):
        assert text not in read(log), text


def an_audit_log_that_was_moved_away_is_begun_anew(program):
    log = program.path("audit.log")
    program.start("core", "--audit-log", log)
    program.run("mint", "pause")
    os.rename(log, log + ".1")
    program.server.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE_SECONDS
    calls = 1
    while not os.path.exists(log) or not events(log):
        assert time.monotonic() < deadline
        program.run("mint", "pause")
        calls += 1
    assert len(events(log)) + len(events(log + ".1")) == calls
    assert program.stop() == 0
    _, error = program.run("core", "--audit-log", program.path("none/audit.log"), expect=1)
    assert "none/audit.log" in error and error.count("\n") == 1, error


def the_log_may_be_json_and_names_nobody(program):
    keys = program.path("keys.json", '{"keys":[{"kty":"oct","kid":"1","k":"' + "A" * 43 + '"}]}')
    with open(program.path("log"), "w+", encoding="utf-8") as program.log:
        program.start("core", "--log-format", "json", "--jwt-keys", keys)
        program.path("keys.json", '{"hush": ')
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not read(program.log.name):
            assert time.monotonic() < deadline
            program.run("status")
        program.run("meter", "register", "M-ann", "--owner", ANN, "--wallet", WALLET)
        assert program.stop() == 0
        program.log.seek(0)
        text = program.log.read()
    program.log = None
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(sorted(line) == ["level", "message", "time"] for line in lines), text
    assert lines[0]["level"] == "error" and "keys.json" in lines[0]["message"], text
    for private in (ANN, "M-ann", WALLET, "hush"):
        assert private not in text, text


def a_user_is_limited_and_the_admin_is_not(program):
    program.start("core", "--user-calls-per-second", "1", "--max-streams-per-user", "1")
    key, = program.json("key", "create", ANN, "--role", "user")
    as_ann = {"WATTMINT_API_KEY": key["secret"]}

    def is_refused(_):
        try:
            program.run("reading", "list", env=as_ann)
            return False
        except AssertionError as error:
            assert "RESOURCE_EXHAUSTED RATE_LIMITED" in str(error), error
            return True

    refused = [is_refused(i) for i in range(10)]
    assert not refused[0] and any(refused), refused
    for _ in range(3):
        program.run("reading", "list")


if __name__ == "__main__":
    main([what_was_done_is_in_the_audit_log, an_audit_log_that_was_moved_away_is_begun_anew,
          the_log_may_be_json_and_names_nobody, a_user_is_limited_and_the_admin_is_not])
