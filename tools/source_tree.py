# SPDX-License-Identifier: Apache-2.0
"""The project's files as the checks see them: what git has or would add, by path from the root."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", "build", "node_modules", "__pycache__"}


def paths(root):
    """Sorted posix paths relative to `root`; without git, all that is not a build result."""
    listing = subprocess.run(
        ["git", "-C", str(root), "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, check=False)
    if listing.returncode == 0:
        found = [name for name in listing.stdout.decode().split("\0") if name]
    else:
        found = _walk(root)
    return sorted(name for name in set(found) if (Path(root) / name).is_file())


def text(root, path):
    """The file's text, or None if it is not UTF-8 (compressed data, images)."""
    try:
        return (Path(root) / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def report(name, found):
    """Prints each finding on a line of its own; returns the exit code."""
    for line in found:
        print(line)
    print(f"{name}: {len(found)} findings" if found else f"{name}: clean")
    return 1 if found else 0


def _walk(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        for name in files:
            yield (Path(folder) / name).relative_to(root).as_posix()
