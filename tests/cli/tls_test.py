#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real program by TLS, with certificates on both sides."""

import shutil
import signal
import ssl
import time
import urllib.error
import urllib.request

from program import Ended, main

SECONDS_MAX = 20


def status_by_tls(place, authority, path="/healthz"):
    """What the bridge answers to who trusts this authority; 0 if it is not trusted."""
    context = ssl.create_default_context(cafile=authority[0])
    address = f"https://localhost:{place['bridge'].rsplit(':', 1)[1]}{path}"
    try:
        with urllib.request.urlopen(address, context=context, timeout=SECONDS_MAX) as answer:
            return answer.status
    except urllib.error.URLError as error:
        assert isinstance(error.reason, ssl.SSLCertVerificationError), error
        return 0


def eventually(holds):
    """Waits for what the server does when it gets to it."""
    give_up = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < give_up, "it does not come about"


def commands_and_core_show_certificates(program):
    authority = program.certificate("authority")
    core = program.certificate("core", authority)
    client = program.certificate("client", authority)
    program.start("core", "--grpc-certificate", core[0], "--grpc-key", core[1],
                  "--grpc-client-ca", authority[0])
    by_tls = ["--core-ca", authority[0]]
    shown = ["--core-certificate", client[0], "--core-key", client[1]]
    supply, = program.json("ledger", "supply", *by_tls, *shown)
    assert supply, supply
    for flags in (by_tls, [], ["--core-ca", client[0], *shown]):
        _, error = program.run("ledger", "supply", *flags, expect=1)
        assert "no core answers" in error, error
    for flags in (shown, [*by_tls, *shown[:2]], ["--core-ca", "/nowhere.pem"]):
        _, error = program.run("ledger", "supply", *flags, expect=2)
        assert "check --core-ca, --core-certificate and --core-key" in error, error
    assert program.stop() == 0


def files_that_do_not_fit_stop_the_start(program):
    one, other = program.certificate("one"), program.certificate("other")
    for flags in (["--grpc-certificate", one[0]],
                  ["--grpc-client-ca", one[0]],
                  ["--grpc-certificate", one[0], "--grpc-key", other[1]],
                  ["--grpc-certificate", one[0], "--grpc-key", one[1],
                   "--grpc-client-ca", other[1]],
                  ["--bridge-certificate", one[0]],
                  ["--bridge-key", one[1]],
                  ["--bridge-certificate", one[0], "--bridge-key", other[1]],
                  ["--bridge-certificate", "/nowhere.pem", "--bridge-key", one[1]]):
        is_bridges = flags[0].startswith("--bridge")
        try:
            program.start(*(["up", "--http", "127.0.0.1:0"] if is_bridges else ["core"]), *flags)
        except Ended as ended:
            assert ended.code in (1, 2), ended
        else:
            raise AssertionError(f"it starts with {flags}")


def up_is_told_the_way_to_its_own_core(program):
    own = program.certificate("own")
    by_tls = ["--grpc", "127.0.0.1:0", "--grpc-certificate", own[0], "--grpc-key", own[1]]
    for flags in ([], ["--core-ca", own[0]], ["--core", "localhost:1"]):
        _, error = program.run("up", *by_tls, *flags, expect=2)
        assert "set --core" in error and "--core-ca" in error, error


def browsers_and_commands_reach_the_bridge_by_tls(program):
    authority = program.certificate("authority")
    own = program.certificate("bridge", authority)
    place = program.start("up", "--http", "127.0.0.1:0", "--heartbeat-secs", "1",
                          "--bridge-metrics", "127.0.0.1:0",
                          "--bridge-certificate", own[0], "--bridge-key", own[1])
    assert status_by_tls(place, authority) == 200
    with urllib.request.urlopen(f"http://{place['bridge_metrics']}/metrics") as metrics:
        assert b"\nwattmint_bridge_certificate_expire_time_seconds " in metrics.read()
    assert status_by_tls(place, program.certificate("stranger")) == 0
    try:
        with urllib.request.urlopen(f"http://{place['bridge']}/healthz", timeout=SECONDS_MAX):
            raise AssertionError("it answers in clear")
    except (urllib.error.URLError, ConnectionError):
        pass
    by_tls = ["--bridge-ca", authority[0]]
    verdict, = program.json("check", "--subscribers", "1", "--websockets", "2", "--cuts", "1",
                            "--users", "1", "--readings", "200", "--rate", "0", *by_tls)
    assert verdict["websocket_events"] != "0" and verdict["violations"] == "0", verdict
    status, = program.json("status", *by_tls)
    assert status["bridge"]["ready"], status
    out, _ = program.run("status")
    assert "--bridge-ca" in out, out
    assert program.stop() == 0


def the_bridge_takes_renewed_files_at_sighup(program):
    first, second = program.certificate("first"), program.certificate("second")
    files = program.path("own.pem"), program.path("own.key")

    def renew(*paths):
        for path, file in zip(paths, files):
            shutil.copy(path, file)
        program.server.send_signal(signal.SIGHUP)

    for path, file in zip(first, files):
        shutil.copy(path, file)
    log = program.path("log", "")
    with open(log, "w", encoding="utf-8") as program.log:
        place = program.start("up", "--http", "127.0.0.1:0", "--bridge-certificate", files[0],
                              "--bridge-key", files[1])
        assert status_by_tls(place, first) == 200
        renew(*second)
        eventually(lambda: status_by_tls(place, second) == 200)
        assert status_by_tls(place, first) == 0
        renew(first[0], second[1])
        with open(log, encoding="utf-8") as said:
            eventually(lambda: "of the bridge are not taken yet" in said.readline())
        assert status_by_tls(place, second) == 200
        assert program.stop() == 0


if __name__ == "__main__":
    main([commands_and_core_show_certificates, files_that_do_not_fit_stop_the_start,
          up_is_told_the_way_to_its_own_core, browsers_and_commands_reach_the_bridge_by_tls,
          the_bridge_takes_renewed_files_at_sighup])
