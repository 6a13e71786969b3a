# SPDX-License-Identifier: Apache-2.0
"""Runs the real program in a directory of its own, for the tests beside this file."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOMES = os.path.join(ROOT, "tools", "data", "fontana17_generation_hourly.csv.gz")
METERS = os.path.join(ROOT, "tools", "data", "fontana17_meters.csv")
TOTALS = os.path.join(ROOT, "tools", "data", "fontana17_totals.json")
TIMEOUT_SECONDS = 120
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
# Waits for a line, then becomes the program that it is given.
GATE = ["sh", "-c", 'read -r _ && exec "$@"', "gate"]


class Ended(AssertionError):
    """A server ended before it was ready."""

    def __init__(self, command, code):
        super().__init__(f"{command} ended with {code} at its start")
        self.code = code


class Program:
    """A data directory, and the commands that work on it."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.TemporaryDirectory(prefix="wattmint-test-")
        self.data = os.path.join(self.folder.name, "data")
        self.server = None
        self.log = None  # where servers log, instead of to our standard error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.server:
            self.kill()
        self.folder.cleanup()

    def path(self, name, text=None):
        """A file in the test's folder, with this content."""
        path = os.path.join(self.folder.name, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def certificate(self, name, authority=None):
        """Makes NAME.pem and NAME.key, signed by the authority or by itself; answers both paths."""
        paths = self.path(f"{name}.pem"), self.path(f"{name}.key")
        signed = ["-addext", "basicConstraints=critical,CA:TRUE"]
        if authority:
            signed = ["-CA", authority[0], "-CAkey", authority[1],
                      "-addext", "basicConstraints=CA:FALSE"]
        subprocess.run(["openssl", "req", "-x509", *EC, "-subj", f"/CN={name}", *signed,
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
        return paths

    def start(self, command="core", *flags, gate=None, grpc="127.0.0.1:0"):
        """Starts a server, on any free port unless told; answers what it says of itself.

        `gate` is called with its process id before it does anything.
        """
        self.server = subprocess.Popen(
            [*(GATE if gate else []), self.binary, command, "--data", self.data,
             "--grpc", grpc, "--log-level", "warning", "--output", "json", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        if gate:
            gate(self.server.pid)
            self.server.stdin.write("\n")
        self.server.stdin.close()
        line = self.server.stdout.readline()
        if not line:
            raise Ended(command, self.server.wait())
        return json.loads(line)

    def stop(self):
        """Ends the server as Ctrl-C does; answers its exit code."""
        self.server.send_signal(signal.SIGINT)
        code = self.server.wait(TIMEOUT_SECONDS)
        self.server = None
        return code

    def kill(self):
        self.server.kill()
        self.server.wait()
        self.server = None

    def command(self, *arguments):
        return [self.binary, *arguments, "--data", self.data]

    def run(self, *arguments, expect=0, env=None, stdin=None):
        """Runs a command to its end; answers its standard output and error."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True,
                              timeout=TIMEOUT_SECONDS, env={**os.environ, **(env or {})},
                              input=stdin, check=False)
        if done.returncode != expect:
            raise AssertionError(f"{arguments} ended with {done.returncode}, not {expect}:\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def alter(self, database, statement):
        """Changes a database of the data directory past the program."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, database))) as file:
            with file:
                file.execute(statement)

    def json(self, *arguments, **options):
        """As run(), the objects that it printed."""
        out, _ = self.run(*arguments, "--output", "json", **options)
        return [json.loads(line) for line in out.splitlines()]


def main(tests):
    """Runs each function of `tests` with the program that the command line names."""
    for test in tests:
        print(test.__name__, flush=True)
        with Program(sys.argv[1]) as program:
            test(program)
