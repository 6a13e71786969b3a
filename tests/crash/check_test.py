#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`wattmint check` finds no fault in a core that is killed, and all of a bridge that cheats.

check_test.py WATTMINT [--readings N --rate N --subscribers N --websockets N]: with a size, only
the killed core is checked, and what was found is printed. 10 million deliveries take 400000
readings as fast as it goes (--rate 0) to 56 subscribers and 8 WebSockets: some minutes of an
optimised build."""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import re
import subprocess
import threading

from scenario import TIMEOUT_SECONDS, Program

SEED = "7"
KILL_AT = (0.3, 0.6)  # shares of the readings
SHARE = re.compile(r"(\d+) %")
HEARTBEATS = ("--heartbeat-secs", "1")


@contextlib.contextmanager
def bridge_of(program):
    """A bridge in a process of its own, which outlives its core; answers where it listens."""
    bridge = subprocess.Popen(
        [program.binary, "bridge", "--data", program.data, "--http", "127.0.0.1:0",
         "--log-level", "error", "--output", "json", *HEARTBEATS],
        stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(bridge.stdout.readline())["bridge"]
    finally:
        bridge.kill()
        bridge.wait()
        bridge.stdout.close()


def check(program, *flags, patience=30):
    """Starts a check."""
    return subprocess.Popen(
        program.command("check", "--output", "json", "--seed", SEED, "--patience", str(patience),
                        *flags),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_of(process, timeout=TIMEOUT_SECONDS):
    """Its exit code, its violations, and its sums."""
    out, error = process.communicate(timeout=timeout)
    objects = [json.loads(line) for line in out.splitlines()]
    assert objects, error
    return process.returncode, [o["violation"] for o in objects[:-1]], objects[-1]


@dataclasses.dataclass
class Size:
    readings: int = 3000
    rate: int = 1000
    subscribers: int = 8
    websockets: int = 4
    patience: int = 30  # seconds
    end: int = TIMEOUT_SECONDS  # from the second kill on


def a_core_that_is_killed_keeps_every_promise(program, size=Size()):
    """Twice, while each subscriber's connection is cut ten times. Answers the sums."""
    address = program.start("core", *HEARTBEATS)["core"]
    with bridge_of(program):
        process = check(program, "--readings", str(size.readings), "--rate", str(size.rate),
                        "--subscribers", str(size.subscribers), "--websockets",
                        str(size.websockets), "--cuts", "10", patience=size.patience)
        kills = list(KILL_AT)
        for line in process.stderr:
            share = SHARE.search(line)
            if kills and share and int(share[1]) >= 100 * kills[0]:
                kills.pop(0)
                program.kill()
                program.start("core", *HEARTBEATS, grpc=address)
                assert process.poll() is None, "the core was killed too late"
            if not kills:
                break
        code, violations, sums = end_of(process, size.end)
    assert code == 0 and not violations, (violations, sums)
    clients = size.subscribers + size.websockets
    assert not kills and int(sums["cuts"]) == clients * 11, sums  # the last one at the end
    assert int(sums["readings"]) == size.readings + 6 + 3, sums
    assert int(sums["grpc_events"]) > 4 * size.readings, sums
    assert int(sums["websocket_events"]) > size.readings, sums
    keys = program.json("key", "list")
    assert all("revoke_time" in key for key in keys if key["user_id"].startswith("check-")), keys
    return sums


def minting_keeps_every_promise(program):
    program.start("up", "--http", "127.0.0.1:0", *HEARTBEATS)
    code, violations, sums = end_of(check(program, "--readings", "200", "--rate", "0", "--mint"))
    assert code == 0 and not violations, (violations, sums)
    assert int(sums["log_events"]) > 5 * 200, sums


class CheatingProxy:
    """Stands between a check and its bridge, and does to one reading in each connection what
    `cheat` does: it is given the frame, and answers what is sent instead, and what behind the next
    event."""

    READING = 4  # which one of a connection

    def __init__(self, bridge, cheat):
        self.bridge = bridge.rsplit(":", 1)
        self.cheat = cheat
        self.loop = asyncio.new_event_loop()
        self.address = None
        self.thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self):
        self.thread.start()
        self.address = asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        host, port = self.server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def close(self):
        self.server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def serve(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection(*self.bridge)
        try:
            await asyncio.gather(self.copy(reader, up_writer), self.cheat_on(up_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            up_writer.close()

    @staticmethod
    async def copy(reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def cheat_on(self, reader, writer):
        writer.write(await reader.readuntil(b"\r\n\r\n"))
        readings, later = 0, b""
        while True:
            frame, payload = await read_frame(reader)
            is_reading = b'"MeterReadingReceived"' in payload and b'"seq":' in payload
            readings += is_reading
            if is_reading and readings == self.READING:
                frame, later = self.cheat(frame)
            elif b'"seq":' in payload:
                frame, later = frame + later, b""
            writer.write(frame)
            await writer.drain()


async def read_frame(reader):
    """The bytes of a server's frame, and its payload."""
    head = await reader.readexactly(2)
    size = head[1]
    if size >= 126:
        more = await reader.readexactly(2 if size == 126 else 8)
        head, size = head + more, int.from_bytes(more, "big")
    payload = await reader.readexactly(size)
    return head + payload, payload


CHEATS = {  # what is done to the frame: what it is found as
    "dropped": (lambda frame: (b"", b""), {"reliable"}),
    "repeated": (lambda frame: (frame, frame), {"unique"}),
    "late": (lambda frame: (b"", frame), {"reliable", "ordered"}),
    "changed": (lambda frame: (frame.replace(b'"kwh_amount":0.001', b'"kwh_amount":0.002'), b""),
                {"reliable"}),
}


def every_cheat_is_found(program):
    program.start("core", *HEARTBEATS)
    with bridge_of(program) as bridge:
        for name, (cheat, found_as) in CHEATS.items():
            with CheatingProxy(bridge, cheat) as proxy:
                code, violations, _ = end_of(check(
                    program, "--bridge", proxy.address, "--subscribers", "1", "--websockets", "1",
                    "--readings", "60", "--rate", "0", "--cuts", "0", "--keep-going"))
            assert code == 1 and violations, name
            assert {v["guarantee"] for v in violations} == found_as, (name, violations)
            assert all(v["subscriber"].startswith("websocket 1 ") for v in violations), violations


def what_cannot_be_checked_is_said(program):
    program.start("core")
    key = program.json("key", "create", "ann", "--role", "user")[0]["secret"]
    _, error = program.run("check", "--websockets", "0", env={"WATTMINT_API_KEY": key}, expect=2)
    assert "admin" in error, error
    _, error = program.run("check", "--bridge", "127.0.0.1:1", expect=1)
    assert "nothing answers at 127.0.0.1:1" in error and "--websockets 0" in error, error


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    for field in dataclasses.fields(Size):
        parser.add_argument("--" + field.name, type=int, default=None)
    given = vars(parser.parse_args())
    binary = given.pop("program")
    given = {name: value for name, value in given.items() if value is not None}
    if given:
        size = Size(**{"patience": 300, "end": 3600, **given})
        with Program(binary) as program:
            print(json.dumps(a_core_that_is_killed_keeps_every_promise(program, size)))
        return
    for test in (a_core_that_is_killed_keeps_every_promise, minting_keeps_every_promise,
                 every_cheat_is_found, what_cannot_be_checked_is_said):
        print(test.__name__, flush=True)
        with Program(binary) as first:
            test(first)


if __name__ == "__main__":
    main()
