#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_coverage.py [PRESET]: prints the line coverage that the tests of build/PRESET left behind.

Fails when it is too low. PRESET is asan, unless it is given.
Generated code and tests do not count. A counter file is merged under a lock, so tests may have run
in parallel; a process that was killed adds nothing.
"""

import json
import subprocess
import sys
from collections import defaultdict

import source_tree

LINE_COVERAGE_MIN = 90.0  # per cent, of each of these folders
FOLDERS = ("core", "storage", "bridge")
WORST_FILES = 10  # shown


def summary(preset):
    """gcovr's counts by file: [{filename, line_covered, line_total}]."""
    root = str(source_tree.ROOT)
    build = f"{root}/build/{preset}"
    filters = [option for folder in FOLDERS for option in ("--filter", f"{root}/{folder}/")]
    output = subprocess.run(
        ["gcovr", "--root", root, "--object-directory", build, *filters, "-j", "2",
         "--json-summary", "-", build],
        check=True, stdout=subprocess.PIPE, text=True, cwd=root).stdout
    return json.loads(output)["files"]


def percent(counts):
    covered, total = counts
    return 100.0 * covered / total if total else 0.0  # a folder without a line was not measured


def totals(files):
    """(lines covered, lines) by folder, of the FOLDERS and of those right below them."""
    sums = defaultdict(lambda: (0, 0))
    for file in files:
        parts = file["filename"].split("/")[:-1]
        for name in {parts[0], "/".join(parts[:2])}:
            covered, total = sums[name]
            sums[name] = (covered + file["line_covered"], total + file["line_total"])
    return sums


def main(preset="asan"):
    files = summary(preset)
    sums = totals(files)
    print(f"{'line coverage':<20} {'lines':>7} {'covered':>8}")
    for name in sorted(sums):
        print(f"{name:<20} {sums[name][1]:>7} {percent(sums[name]):>7.1f} %")
    print("\nleast covered files")
    files.sort(key=lambda file: file["line_covered"] - file["line_total"])
    for file in files[:WORST_FILES]:
        counts = (file["line_covered"], file["line_total"])
        print(f"{file['filename']:<44} {counts[1] - counts[0]:>5} missed {percent(counts):>7.1f} %")
    low = [name for name in FOLDERS if percent(sums[name]) < LINE_COVERAGE_MIN]
    for name in low:
        print(f"coverage of {name} is below {LINE_COVERAGE_MIN} %")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
