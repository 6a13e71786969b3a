# SPDX-License-Identifier: Apache-2.0
"""Counts and spoils system calls of a running program, by strace.

strace counts the calls of each thread by itself. At work a file is written by one thread (the tests
beside this file check that), so calls are named by their file: the k-th pwrite64 of ledger.db-wal.
"""

import re
import shutil
import signal
import subprocess
from collections import Counter, defaultdict

ANY = "*"  # instead of a file: whatever it is
LOG_LINE = re.compile(r"(\d+) +(\w+)\((.*)")
PATH = re.compile(r'^\d+<([^>]*)>|"([^"]*)"')  # of a descriptor, or spelt out
TIMEOUT_SECONDS = 60


class Tracer:
    """strace on one process and its threads, until that ends or detach()."""

    def __init__(self, log, calls, path=None, spoil=None):
        """Traces `calls` (of `path` alone); `spoil` is an injection such as error=EIO:when=3."""
        self.log = log
        self.options = ["-e", "trace=" + ",".join(calls)]
        if path:
            self.options += ["-P", path]
        if spoil:
            self.options += ["-e", f"inject={','.join(calls)}:{spoil}"]
        self.process = None

    def attach(self, pid):
        """Returns when each further call is seen."""
        self.process = subprocess.Popen(
            ["strace", "-f", "-y", "-o", self.log, *self.options, "-p", str(pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        if "attached" not in line:
            raise PermissionError(line + self.process.stderr.read())

    def detach(self):
        """From now on every call works; answers the lines that were logged."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=TIMEOUT_SECONDS)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()


def why_not(log):
    """Why nothing can be traced here; nothing if it can."""
    if not shutil.which("strace"):
        return "there is no strace"
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            tracer = Tracer(log, ["pwrite64"])
            tracer.attach(process.pid)
            tracer.detach()
        except PermissionError as error:
            return str(error).strip()
        finally:
            process.kill()
    return None


def was_spoilt(lines):
    """Whether the call that the injection waits for was made."""
    return any("(INJECTED)" in line or "killed by SIGKILL" in line for line in lines)


def count_calls(lines, folder):
    """{(file below `folder`, call): {thread: calls}}; the file is ANY for those of all files."""
    counts = defaultdict(Counter)
    for match in filter(None, map(LOG_LINE.match, lines)):
        thread, call, arguments = match.groups()
        counts[ANY, call][thread] += 1
        path = PATH.search(arguments)
        path = path and (path[1] or path[2])
        if path and path.startswith(folder + "/"):
            counts[path[len(folder) + 1:], call][thread] += 1
    return counts
