#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when an #include goes against the arrows between the folders.

The arrows are the data below; the same picture, for people, is in README.md.
"""

import re
import sys

import source_tree

# A folder may include itself and what stands beside it here. Order: from the bottom up.
ARROWS = {
    "core/base": "",
    "core/door": "core/base",
    "core/domain": "core/base",
    "core/store": "core/domain core/base",
    "core/access": "core/store core/domain core/base",
    "core/wire": "core/domain core/base",
    "core/ledger": "core/store core/domain core/base",
    "core/stream": "core/store core/access core/wire core/domain core/base",
    "core/ingest": "core/store core/wire core/ledger core/access core/domain core/base",
    "core/mint": "core/store core/wire core/ledger core/access core/domain core/base",
    "core/market": "core/store core/wire core/ledger core/access core/domain core/base",
    "core/rpc": "core/ingest core/mint core/market core/stream core/ledger core/wire core/access "
                "core/store core/domain core/door core/base",
    "core/client": "core/wire core/stream core/access core/domain core/base",
    "storage": "core/store core/ledger core/domain core/base",
    "bridge": "core/client core/stream core/wire core/access core/store core/domain core/door "
              "core/base",
    "cli": "core storage bridge",
    "tests": "tests core storage bridge cli",
}

# What is seen only where it is translated: (name, includes, folders or files that may).
FENCES = [
    ("generated messages", r"\.pb\.h$",
     "core/wire core/rpc core/client bridge cli tests"),
    ("gRPC", r"^grpc(pp)?/|\.grpc\.pb\.h$",
     "core/rpc core/client cli tests"),
    ("SQLite", r"^SQLiteCpp/|^sqlite3",
     "storage tests/storage tests/bench tests/support/sim_vfs.cc tests/simulation/world.cc"),
    ("libcurl", r"^curl/",
     "core/access/web_document.cc"),
    ("websocketpp and Asio", r"^websocketpp/|^asio(/|\.hpp)",
     "bridge/websocket_server.cc bridge/websocket_acceptor.h bridge/websocket_compression.h "
     "bridge/websocket_config.h bridge/websocket_socket.h bridge/websocket_tls.h "
     "bridge/websocket_transport.h"),
    ("OpenSSL", r"^openssl/",
     "core/door bridge/client_tls.cc tests"),
    ("Prometheus", r"^prometheus/",
     "core/base"),
    ("spdlog", r"^spdlog/",
     "core/rpc storage bridge cli tests"),
]

OWN = re.compile(r"^(core|storage|bridge|cli|tests|tools)/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def within(path, places):
    """True if `path` is one of `places` (separated by spaces) or lies in one of them."""
    return any(path == place or path.startswith(place + "/") for place in places.split())


def folder_of(path):
    """The layer that `path` belongs to, or None."""
    return next((folder for folder in ARROWS if within(path, folder)), None)


def broken_arrow(source, quote, target):
    """Why `source` may not include `target`, or None if it may."""
    for name, pattern, places in FENCES:
        if re.search(pattern, target) and not within(source, places):
            return f"{name} only in: {places}"
    if quote == '"' and "/" not in target:
        return "includes start at the repository's root"
    if not OWN.match(target):
        return None
    layer = folder_of(source)
    if layer is None or within(target, f"{layer} {ARROWS[layer]}"):
        return None
    return f"{layer} may include only: {ARROWS[layer] or 'itself'}"


def findings(root):
    found = []
    for path in source_tree.paths(root):
        if not path.endswith((".h", ".cc")):
            continue
        for number, line in enumerate((source_tree.text(root, path) or "").splitlines(), 1):
            include = INCLUDE.match(line)
            reason = include and broken_arrow(path, include[1], include[2])
            if reason:
                found.append(f"{path}:{number}: includes {include[2]}; {reason}")
    return found


if __name__ == "__main__":
    sys.exit(source_tree.report("check_layers", findings(source_tree.ROOT)))
