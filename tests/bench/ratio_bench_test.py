#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every topic of ratio_bench in a small size: all its figures are there and mean something.

How large they are is nobody's business here: that depends on the machine.
"""

import json
import pathlib
import subprocess
import sys

# Topic: (flags, how many figures, names of figures that may be zero or below)
TOPICS = {
    "fan-out": (["--subscribers", "3", "--deliveries", "24000"], 5,
                ["the same without the ingest, 3"]),
    "fan-out-single": (["--subscribers", "3", "--deliveries", "12000"], 5,
                       ["the same without the ingest, 3"]),
    "replay": (["--subscribers", "3", "--thousands", "2"], 2, []),
    "ingest": (["--readings", "4000", "--meters", "40", "--streams", "2"], 4, []),
    "stored": (["--readings", "2000", "--meters", "40", "--streams", "2", "--large", "4000",
                "--small", "2000"], 3, []),
    "unary": (["--calls", "200", "--in-flight", "8"], 2, []),
    "latency": (["--seconds", "0.2", "--batch", "10"], 3, []),
    "stalled": (["--subscribers", "2", "--seconds", "0.5"], 4,
                ["memory grew, with it", "memory grew, without", "missed by it afterwards"]),
    "meters": (["--subscribers", "5", "20", "--batches", "3"], 4,
               ["resident memory of a stream, 5", "resident memory of a stream, 20"]),
    "broadcast": (["--sessions", "3", "20", "--deliveries", "200", "--shards", "2"], 6, []),
    "bursts": (["--sessions", "5", "--deliveries", "2000", "--burst", "100"], 3, []),
    "compressed": (["--sessions", "3", "20", "--deliveries", "200", "--shards", "2"], 6, []),
    "idle": (["--sessions", "50"], 1, ["resident memory of one of 50"]),
    "own": (["--sessions", "20", "--seconds", "0.5", "--shards", "2"], 3, []),
    "storm": (["--sessions", "20", "--missed", "3"], 2, []),
}
HERE = pathlib.Path(__file__).parent
# Command: what succeeds if its package is there.
PEERS = {
    f"node {HERE}/peers/ws.mjs": ["test", "-d", f"{HERE.parent}/browser/node_modules/ws"],
    f"python3 {HERE}/peers/websockets_server.py": ["python3", "-c", "import websockets"],
}
WITHOUT_RATIO = {"greatest rate", "resident memory with the large one"}


def measure(program, topic, flags):
    done = subprocess.run([program, "--rounds", "1", "--output", "json", topic, *flags],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{topic} ended with {done.returncode}:\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(figure, may_be_zero):
    assert figure["rounds"] >= 1, figure
    if figure["figure"] == "missed by it afterwards":
        assert figure["ours"] == 0, figure
    if figure["figure"] in may_be_zero:
        return
    assert figure["ours"] > 0, figure
    is_beside = figure["figure"] not in WITHOUT_RATIO and "TCP" not in figure["figure"]
    assert ("ratio" in figure) == is_beside, figure
    if is_beside:
        assert figure["other"] > 0 and figure["ratio"] > 0, figure
        assert figure["ratio_least"] <= figure["ratio"] <= figure["ratio_greatest"], figure


def check_peers(program):
    for command, package in PEERS.items():
        if subprocess.run(package, capture_output=True, check=False).returncode != 0:
            print(f"skipped, since it is not installed: {command}")
            continue
        flags = ["--sessions", "5", "--deliveries", "100", "--peer", command]
        for figure in measure(program, "broadcast", flags):
            check(figure, [])


def main():
    program = sys.argv[1]
    for topic, (flags, count, may_be_zero) in TOPICS.items():
        print(topic, flush=True)
        figures = measure(program, topic, flags)
        assert len(figures) == count, figures
        for figure in figures:
            check(figure, may_be_zero)
    check_peers(program)
    listed = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(topic in listed for topic in TOPICS), listed


if __name__ == "__main__":
    main()
