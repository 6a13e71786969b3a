# SPDX-License-Identifier: Apache-2.0
"""Honest clients of a bridge, in a process of their own, so that what they measure is the bridge.

Each of some users submits readings of a meter, steadily, by the session that receives what comes
of them; admins listen to everything; and newcomers come, one after another.
"""

import json
import multiprocessing
import select
import threading
import time
from datetime import datetime, timedelta, timezone

from websocket import CLOSE, PING, TEXT, WebSocket, message, pong, take_frames

READING_SECONDS = 1.05  # between those of one session: what its rate of messages permits
SILENCE_SECONDS_MAX = 60
ADMINS = 4
NEWCOMER_SECONDS = 0.2


class Session:
    """One that stays."""

    def __init__(self, port, source, name, key, meter=None):
        self.name, self.meter = name, meter
        self.socket = WebSocket(port, source, key)
        assert self.socket.status == 101, self.socket.head
        self.socket.send(message("Subscribe", event_types=[]))
        self.socket.read_until("Subscribed")
        self.socket.read_until("CaughtUp")
        self.events = []  # sequence, type, user and reading
        self.latencies = []
        self.submitted, self.answered = 0, 0

    def submit(self, first):
        """The next reading, of a second; `first`: when the first one began."""
        start = first + timedelta(seconds=self.submitted)
        self.submitted += 1
        self.socket.send(message("SubmitReading", self.submitted, meter_id=self.meter,
                                 kwh_amount=0.0001, interval_seconds=1,
                                 timestamp=start.strftime("%Y-%m-%dT%H:%M:%SZ")))

    def take(self):
        """What has come."""
        assert self.socket.more(), f"{self.name} was cut"
        now = time.time()
        for opcode, payload in take_frames(self.socket.buffer):
            assert opcode != CLOSE, f"{self.name} was closed with {payload}"
            if opcode == PING:
                self.socket.send(pong(payload))
            elif opcode == TEXT:
                self.hear(json.loads(payload), now)

    def hear(self, heard, now):
        data = heard.get("data", {})
        assert heard["type"] != "Error", f"{self.name}: {heard}"
        if heard["type"] == "ReadingSubmitted":
            assert data["outcome"] == "accepted", f"{self.name}: {heard}"
            self.answered += 1
        elif "seq" in heard:
            self.latencies.append(now - datetime.fromisoformat(heard["timestamp"]).timestamp())
            self.events.append((heard["seq"], heard["type"], data.get("user_id", "")))


class Newcomers(threading.Thread):
    """One after another: each upgrades, is told who it is, and leaves."""

    def __init__(self, port, key):
        super().__init__(daemon=True)
        self.port, self.key = port, key
        self.seconds, self.refused, self.count = [], [], 0
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(NEWCOMER_SECONDS):
            self.count += 1
            begin = time.monotonic()
            try:
                with WebSocket(self.port, f"127.0.3.{1 + self.count % 200}", self.key) as newcomer:
                    newcomer.read_until("Authenticated")
                    self.seconds.append(time.monotonic() - begin)
                    newcomer.send(message("Ping"))
                    newcomer.read_until("Pong")
            except (AssertionError, OSError) as error:
                self.refused.append(f"{type(error).__name__} {error}"[:80])


class Crowd:
    """All of them; in the child."""

    def __init__(self, port, users, admin_key, days_ago):
        self.first = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=days_ago)
        self.sessions = [Session(port, f"127.0.1.{1 + index}", name, key, meter)
                         for index, (name, key, meter) in enumerate(users)]
        self.givers = list(self.sessions)
        self.sessions += [Session(port, f"127.0.2.{1 + index}", f"admin {index}", admin_key)
                          for index in range(ADMINS)]
        self.newcomers = Newcomers(port, users[0][1])
        self.newcomers.start()
        self.due = [time.monotonic() + READING_SECONDS * index / len(self.givers)
                    for index in range(len(self.givers))]
        self.poll = select.poll()
        self.by_descriptor = {session.socket.socket.fileno(): session for session in self.sessions}
        for descriptor in self.by_descriptor:
            self.poll.register(descriptor, select.POLLIN)
        self.is_giving = True
        self.heard_at = time.monotonic()

    def step(self, wait_seconds=SILENCE_SECONDS_MAX):
        """Takes what has come, and submits what is due."""
        if self.is_giving:
            wait_seconds = max(0, min(self.due) - time.monotonic())
        ready = self.poll.poll(wait_seconds * 1000)
        for descriptor, _ in ready:
            self.by_descriptor[descriptor].take()
        now = time.monotonic()
        for index, giver in enumerate(self.givers if self.is_giving else []):
            if now >= self.due[index]:
                self.due[index] = now + READING_SECONDS
                giver.submit(self.first)
        if ready:
            self.heard_at = now
        assert now < self.heard_at + SILENCE_SECONDS_MAX, "nothing comes any more: " + str(
            [(session.name, session.submitted, session.answered, len(session.events))
             for session in self.sessions])

    def report(self, deliveries):
        """Of the time since the last one; nothing if there were fewer deliveries."""
        if sum(len(session.latencies) for session in self.sessions) < deliveries:
            return None
        latencies = [value for session in self.sessions for value in session.latencies]
        for session in self.sessions:
            session.latencies = []
        seconds, self.newcomers.seconds = self.newcomers.seconds, []
        return latencies, seconds, list(self.newcomers.refused)

    def finish(self):
        """No more readings; waits for what those bring. What each was told."""
        self.newcomers.is_over.set()
        self.newcomers.join()
        self.is_giving = False
        while not self.is_complete():
            self.step()
        return [(session.name, session.submitted, session.events) for session in self.sessions]

    def is_complete(self):
        wanted = sum(giver.submitted for giver in self.givers)
        return all(giver.answered == giver.submitted for giver in self.givers) and all(
            received(session) >= (session.submitted if session.meter else wanted)
            for session in self.sessions)


def received(session):
    return sum(kind == "MeterReadingReceived" for _, kind, _ in session.events)


def live(pipe, *arguments):
    """What the child does: it answers "report" and "finish", and between them goes on."""
    try:
        crowd = Crowd(*arguments)
        crowd.poll.register(pipe.fileno(), select.POLLIN)
        crowd.by_descriptor[pipe.fileno()] = asked = Asked(pipe)
        pipe.send("ready")
        while True:
            crowd.step()
            if not asked.question:
                continue
            name, *rest = asked.question
            answer = getattr(crowd, name)(*rest)
            if answer is None:
                continue
            asked.question = None
            pipe.send(answer)
            if name == "finish":
                return
    except BaseException as error:  # pylint: disable=broad-except
        pipe.send(error)


class Asked:
    """The parent, among the sessions."""

    def __init__(self, pipe):
        self.pipe, self.question = pipe, None

    def take(self):
        self.question = self.pipe.recv()


class HonestSessions:
    """The child, for the parent. `users`: their names, keys and meters.

    `days_ago`: when their readings begin; those of other sessions of these users must not be near.
    """

    def __init__(self, port, users, admin_key, days_ago):
        self.pipe, end = multiprocessing.Pipe()
        self.child = multiprocessing.Process(
            target=live, args=(end, port, users, admin_key, days_ago), daemon=True)
        self.child.start()
        end.close()
        assert self.answer() == "ready"

    def answer(self):
        answer = self.pipe.recv()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def ask(self, *question):
        self.pipe.send(question)
        return self.answer()

    def report(self, deliveries=0):
        """Latencies of deliveries, those of newcomers, and who was refused; waits for so many."""
        return self.ask("report", deliveries)

    def finish(self):
        """Each session's name, count of readings, and events."""
        told = self.ask("finish")
        self.child.join()
        return told


def check(told):
    """Every event once, in order, and to everybody whom it is for."""
    admins = [events for _, submitted, events in told if not submitted]
    longest = max(admins, key=len)
    for name, submitted, events in told:
        sequences = [sequence for sequence, _, _ in events]
        if not submitted:
            assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), name
            continue
        expected = [event for event in longest if event[2] == name and
                    sequences[0] <= event[0] <= sequences[-1]]
        assert events == expected, f"{name} missed or repeated an event"
        assert sum(kind == "MeterReadingReceived" for _, kind, _ in events) == submitted, name
