#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backups of the real program while it works, and what becomes of them."""

import os
import re
import subprocess

from program import Program, main

WALLET = "6zEJcQiCcswiWng83b12fzb5ARGMF6Du7GvmE7tW94Ur"
METERS = ("M-1", "M-2", "M-3")
HOURS = 700
UNITS = len(METERS) * HOURS * 1_250_000_000
BACKUPS_MIN = 3


def rows():
    lines = ["meter_id,timestamp,energy_kwh"]
    for hour in range(HOURS):
        day, clock = divmod(hour, 24)
        month, day = divmod(day, 28)
        lines += [f"{meter},2026-{1 + month:02}-{1 + day:02}T{clock:02}:00:00Z,1.25"
                  for meter in METERS]
    return "\n".join(lines) + "\n"


def start(program):
    program.start("core", "--auto-mint", "true")


def supply(program):
    answer, = program.json("ledger", "supply")
    assert answer["balanced"], answer
    return answer


def import_all(program, csv):
    program.run("import", csv, "--any-age", "--interval", "1h", "--batch", "50")
    program.json("watch", "--from", "beginning", "--type", "TokensMinted",
                 "--count", str(len(METERS) * HOURS))


def each_backup_is_one_moment_and_goes_on(program):
    """Taken while readings come in and are minted; from each the same readings end the same."""
    start(program)
    csv = program.path("rows.csv", rows())
    for meter in METERS:
        program.run("meter", "register", meter, "--owner", "ann", "--wallet", WALLET)
    with subprocess.Popen(program.command("import", csv, "--any-age", "--interval", "1h",
                                          "--batch", "50"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as importing:
        backups = []
        while importing.poll() is None or len(backups) < BACKUPS_MIN:
            backups.append(program.path(f"backup-{len(backups)}"))
            program.run("backup", backups[-1])
    import_all(program, csv)
    assert int(supply(program)["supply_base_units"]) == UNITS
    assert program.stop() == 0
    for folder in (backups[0], backups[len(backups) // 2], backups[-1]):
        with Program(program.binary) as other:
            other.run("restore", folder)
            start(other)
            import_all(other, csv)
            assert int(supply(other)["supply_base_units"]) == UNITS
            assert other.stop() == 0
            other.run("ledger", "verify")


def a_restored_log_has_a_new_epoch(program):
    program.start("core", "--auto-mint", "false")
    program.run("meter", "register", "M-1", "--owner", "ann", "--wallet", WALLET)
    _, error = program.run("watch", "--from", "beginning", "--until-caught-up")
    position = re.search(r"--from (\S+)", error)[1]
    epoch = program.json("status")[0]["core"]["epoch"]
    assert program.stop() == 0
    folder = program.path("backup")
    program.run("backup", folder)
    for _ in range(2):
        with Program(program.binary) as other:
            other.run("restore", folder)
            other.start("core", "--auto-mint", "false")
            status, = other.json("status")
            assert status["core"]["epoch"] != epoch, status
            epoch = status["core"]["epoch"]
            assert len(other.json("watch", "--from", "beginning", "--until-caught-up")) == 1
            _, error = other.run("watch", "--from", position, expect=1)
            assert "EPOCH_CHANGED" in error, error


def nothing_is_overwritten_and_nothing_half_is_left(program):
    folder = program.path("backup")
    _, error = program.run("backup", folder, expect=1)
    assert "holds no wattmint.db" in error and not os.path.exists(folder), error
    program.start()
    assert program.stop() == 0
    program.run("backup", folder)
    _, error = program.run("backup", folder, expect=1)
    assert "already" in error, error
    _, error = program.run("restore", folder, expect=1)
    assert "already" in error, error
    mode = os.stat(os.path.join(folder, "ledger.key")).st_mode & 0o777
    assert mode == 0o600, oct(mode)


def a_damaged_backup_is_said(program):
    program.start()
    assert program.stop() == 0
    folder = program.path("backup")
    program.run("backup", folder)
    with open(os.path.join(folder, "ledger.db"), "r+b") as file:
        file.write(b"no database at all")
    with Program(program.binary) as other:
        _, error = other.run("restore", folder, expect=1)
        assert "ledger.db" in error and error.count("\n") == 1, error
        assert not os.path.exists(os.path.join(other.data, "wattmint.db"))


if __name__ == "__main__":
    main([each_backup_is_one_moment_and_goes_on, a_restored_log_has_a_new_epoch,
          nothing_is_overwritten_and_nothing_half_is_left, a_damaged_backup_is_said])
