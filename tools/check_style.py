#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on what no reviewer should have to look for: budgets, banned calls, dead files, links.

The limits and bans are the data below; each rule is one generator over the tree.
"""

import re
import sys
from pathlib import PurePosixPath as Path

import source_tree

LINES_MAX = {".h": 250, ".cc": 400, ".js": 400, ".mjs": 400, ".py": 400}  # outside tests
FUNCTION_LINES_MAX = 70  # outside tests
COLUMNS_MAX = 100
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
             "protos", "core", "bridge", "storage", "cli", "tests", "tools"}
CODE = {".h", ".cc", ".proto", ".py", ".sh", ".js", ".mjs", ".ts", ".css"}
CPP = {".h", ".cc"}

# (pattern, where it is banned, where it may stand nevertheless, what to do instead)
BANS = [
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", "core storage bridge cli tests", "core/base",
     "wait for the condition, or take the time from Clock"),
    (r"\b(secure_)?getenv\b", "core storage bridge", "", "settings are read in cli"),
    (r"\bstd::(recursive_|shared_|timed_)?mutex\b|\babsl::Mutex\b|\bstd::condition_variable\w*",
     "core storage bridge cli tests", "core/base/mutex.h", "use Mutex of core/base/mutex.h"),
    (r"\bstd::(cout|cerr|clog)\b|\b(std::)?f?printf\s*\(", "core storage bridge", "",
     "log with spdlog, or return it"),
    (r"\bstd::(endl|regex)\b", "core storage bridge cli tests", "", "slow; use fmt, a parser"),
    (r"\bs?rand\(", "core storage bridge cli tests", "", "use a seeded generator"),
    (r"^\s*//\s*[-=*#/]{4,}", "core storage bridge cli tests protos", "", "no banners"),
]
LEFT_OVERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
SPDX = "SPDX-License-Identifier: Apache-2.0"
GENERATED = re.compile(r"\.pb\.(h|cc)$|_pb2(_grpc)?\.py$|(^|/)node_modules/")
FUNCTION_HEAD = re.compile(r"(?!.*\b(namespace|class|struct|union|enum|if|for|while|switch|else|do"
                           r"|catch)\b)[^=]*\(.*\)", re.DOTALL)
CPP_NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                       r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])'", re.DOTALL)
SOURCE_NAME = re.compile(r"[\w./${}-]+\.cc\b")  # in a CMakeLists.txt
DIRECTIVE = re.compile(r"^[ \t]*#[^\n]*?(\\\n[^\n]*?)*$", re.MULTILINE)


def is_within(path, places):
    return any(path == place or path.startswith(place + "/") for place in places.split())


def is_script(text):
    return text.startswith("#!")


def in_tests(path):
    return is_within(path, "tests")


def without_noise(text):
    """C++ with comments, strings and preprocessor lines blanked out; line numbers stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    return DIRECTIVE.sub(blank, CPP_NOISE.sub(blank, text))


def functions(text):
    """(first line, lines) of each function body in C++ text; lambdas count for their function."""
    text, depth, line, head, open_at = without_noise(text), 0, 1, "", None
    for character in text:
        if character == "\n":
            line += 1
        if character == "{":
            if open_at is None and FUNCTION_HEAD.match(head.strip()):
                open_at = (depth, line)
            depth += 1
        elif character == "}":
            depth -= 1
            if open_at and open_at[0] == depth:
                yield open_at[1], line - open_at[1] + 1
                open_at = None
        head = "" if character in "{};" else head + character


def top_level(tree):
    for name in sorted({path.split("/")[0] for path in tree}):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield f"{name}: not a top-level file or folder of this project"


def generated_files(tree):
    for path in tree:
        if GENERATED.search(path):
            yield f"{path}: generated files belong into the build tree"


def budgets(tree):
    for path, text in tree.items():
        lines = text.count("\n")
        if not in_tests(path) and lines > LINES_MAX.get(Path(path).suffix, lines):
            limit = LINES_MAX[Path(path).suffix]
            yield f"{path}: {lines} lines, at most {limit}; a new noun wanted?"
        if Path(path).suffix in CPP and not in_tests(path):
            for first, count in functions(text):
                if count > FUNCTION_LINES_MAX:
                    yield f"{path}:{first}: function of {count} lines, at most {FUNCTION_LINES_MAX}"


def lines(tree):
    for path, text in tree.items():
        if text and not text.endswith("\n") and Path(path).suffix in CODE:
            yield f"{path}: no newline at the end"
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{path}:{number}"
            if LEFT_OVERS.search(line):
                yield f"{where}: {LEFT_OVERS.search(line)[0]}; open an issue instead"
            if Path(path).suffix not in CODE and not is_script(text):
                continue
            may_be_long = path.endswith(".css") or "http" in line or line.startswith("#include")
            if len(line) > COLUMNS_MAX and not may_be_long:
                yield f"{where}: {len(line)} columns, at most {COLUMNS_MAX}"
            if line != line.rstrip() or "\t" in line:
                yield f"{where}: tab or blank at the end"


def first_lines(tree):
    for path, text in tree.items():
        if Path(path).suffix in CODE or is_script(text):
            line = 1 if is_script(text) else 0
            if SPDX not in "".join(text.splitlines()[line:line + 1]):
                yield f"{path}: first line must be {SPDX}"
        if path.endswith(".h") and "#pragma once" not in text:
            yield f"{path}: no #pragma once"


def bans(tree):
    for path, text in tree.items():
        if Path(path).suffix not in CPP | {".proto"}:
            continue
        for pattern, banned, allowed, remedy in BANS:
            if not is_within(path, banned) or is_within(path, allowed):
                continue
            seen = text if pattern.startswith("^") else without_noise(text)
            for match in re.finditer(pattern, seen, re.MULTILINE):
                number = seen.count("\n", 0, match.start()) + 1
                yield f"{path}:{number}: {match[0].strip()}; {remedy}"


def dead_files(tree):
    built, included = [], set()
    for path, text in tree.items():
        if Path(path).name == "CMakeLists.txt":
            built += [_pattern(Path(path).parent / name) for name in SOURCE_NAME.findall(text)]
        if Path(path).suffix in CPP:
            included |= set(re.findall(r'^\s*#include "([^"]+)"', text, re.MULTILINE))
    for path in tree:
        if path.endswith(".cc") and not any(pattern.fullmatch(path) for pattern in built):
            yield f"{path}: no CMakeLists.txt names it"
        if path.endswith(".h") and path not in included:
            yield f"{path}: nothing includes it"


def links(tree, everything):
    folders = {str(parent) for path in everything for parent in Path(path).parents}
    for path, text in tree.items():
        if not path.endswith(".md"):
            continue
        prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            name = target.split("#")[0]
            if re.match(r"[a-z]+:", target) or not name:
                continue
            resolved = _resolve(Path(path).parent, name)
            if resolved not in everything and resolved not in folders:
                yield f"{path}: broken link to {target}"


def _pattern(source):
    """`source` as CMake names it, where a ${variable} stands for one word."""
    return re.compile(r"[\w-]+".join(map(re.escape, re.split(r"\$\{\w+\}", str(source)))))


def _resolve(folder, name):
    parts = []
    for part in (folder / name).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return str(Path(*parts))


def findings(root):
    everything = set(source_tree.paths(root))
    texts = ((path, source_tree.text(root, path)) for path in sorted(everything))
    tree = {path: text for path, text in texts if text is not None}
    rules = [top_level(everything), generated_files(everything), budgets(tree), lines(tree),
             first_lines(tree), bans(tree), dead_files(tree), links(tree, everything)]
    return [finding for rule in rules for finding in rule]


if __name__ == "__main__":
    sys.exit(source_tree.report("check_style", findings(source_tree.ROOT)))
