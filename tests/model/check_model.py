#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the model of minting (mint.pml) with spin: that it keeps its properties, that it can do
what they are about, and that it breaks one with each of the mistakes planted in it.

Usage: check_model.py [--cc COMPILER] [--bad-luck N] [MISTAKE...]
With names of mistakes only those are tried. Exit code 77: spin is not installed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).with_name("mint.pml")

HOLD = ["never_twice", "answered_for", "confirmed_is_final", "told_once", "ends_rightly"]
POSSIBLE = ["can_sign_again", "can_run_out", "can_be_minted_aside"]
ENDS = "ends"
# Each mistake, and the property that it must break.
MISTAKES = {
    "sends_before_durable": "never_twice",
    "signs_without_claim": "never_twice",
    "compares_state_only": "answered_for",
    "asks_two_nodes": "never_twice",
    "believes_the_tip": "confirmed_is_final",
    "expires_by_the_tip": "never_twice",
    "takes_silence_for_no": "never_twice",
    "tells_apart": "told_once",
    "confirms_blindly": "told_once",
    "lease_for_ever": ENDS,
    "retry_forgets_bytes": "never_twice",
}
DEPTH_MAX = 20_000
SKIPPED = 77


class Checker:
    """The model compiled with some definitions; answers one property after the other."""

    def __init__(self, folder, compiler, definitions, fair):
        self.folder = folder
        self.fair = fair
        flags = [f"-D{definition}" for definition in definitions]
        self._run(["spin", "-a", *flags, str(MODEL)])
        self._run([compiler, "-O1", "-w", "-DCOLLAPSE", *(["-DNFAIR=3"] if fair else []),
                   "-o", "pan", "pan.c"])

    def breaks(self, name):
        """(whether an order of steps breaks the property, how many states were seen)"""
        fair = ["-f"] if self.fair else []
        report = self._run(["./pan", "-a", f"-m{DEPTH_MAX}", *fair, "-N", name])
        errors = re.search(r"errors: (\d+)", report)
        states = re.search(r"(\d+) states, stored", report)
        if not errors or not states or "max search depth too small" in report:
            raise SystemExit(f"{name}: the search did not end:\n{report}")
        return errors[1] != "0", int(states[1])

    def _run(self, command):
        done = subprocess.run(command, cwd=self.folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}:\n{done.stdout}")
        return done.stdout


def expectations(options):
    """(definitions, whether choices are fair, [(property, whether it must be broken)])"""
    bounded = [f"BOUNDED={options.bad_luck}"]
    if not options.mistakes:
        yield [], False, [(name, False) for name in HOLD] + [(name, True) for name in POSSIBLE]
        yield bounded, True, [(ENDS, False)]
    for mistake in options.mistakes or MISTAKES:
        broken = MISTAKES[mistake]
        fair = broken == ENDS
        yield [f"MISTAKE_{mistake}", *(bounded if fair else [])], fair, [(broken, True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--cc", default="cc", help="C compiler")
    parser.add_argument("--bad-luck", type=int, default=1,
                        help="how much may go wrong before the task must end (1; more takes long)")
    parser.add_argument("mistakes", nargs="*", metavar="MISTAKE", help=", ".join(MISTAKES))
    options = parser.parse_args()
    if unknown := set(options.mistakes) - set(MISTAKES):
        parser.error(f"no such mistake: {', '.join(sorted(unknown))}")
    if not shutil.which("spin"):
        print("skipped: spin is not installed")
        return SKIPPED
    wrong = 0
    for definitions, fair, properties in expectations(options):
        with tempfile.TemporaryDirectory() as folder:
            checker = Checker(folder, options.cc, definitions, fair)
            for name, must_break in properties:
                broken, states = checker.breaks(name)
                wrong += broken != must_break
                what = f"{name} {'breaks' if broken else 'holds'}"
                verdict = "as it must" if broken == must_break else "WRONG"
                print(f"{' '.join(definitions) or 'model'}: {what}, {verdict} ({states} states)",
                      flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
