# SPDX-License-Identifier: Apache-2.0
"""The layer check must be able to fail: one tree for each arrow and fence."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_layers  # noqa: E402


class CheckLayersTest(unittest.TestCase):
    def findings(self, path, include):
        with tempfile.TemporaryDirectory() as root:
            file = Path(root) / path
            file.parent.mkdir(parents=True)
            file.write_text(f"#include {include}\n")
            return check_layers.findings(root)

    def test_arrows_up_the_layers_are_refused(self):
        for path, include in [
                ("core/base/clock.h", '"core/domain/energy.h"'),
                ("core/domain/energy.cc", '"core/store/journal.h"'),
                ("core/store/journal.h", '"core/access/principal.h"'),
                ("core/wire/event_codec.cc", '"core/stream/hub.h"'),
                ("core/ingest/pipeline.cc", '"core/rpc/server.h"'),
                ("core/client/subscriber.cc", '"core/rpc/server.h"'),
                ("storage/journal.cc", '"core/ingest/pipeline.h"'),
                ("bridge/session.cc", '"core/rpc/server.h"'),
                ("bridge/session.cc", '"storage/journal.h"'),
                ("core/rpc/server.cc", '"cli/main.h"'),
                ("cli/main.cc", '"tests/support/fake_clock.h"'),
                ("core/rpc/server.cc", '"tools/anything.h"')]:
            self.assertEqual(1, len(self.findings(path, include)), (path, include))

    def test_fences_are_refused_outside_their_folders(self):
        for path, include in [
                ("core/mint/minter.cc", '"wattmint/v1/mint.pb.h"'),
                ("core/stream/hub.cc", "<grpcpp/grpcpp.h>"),
                ("bridge/session.cc", '"wattmint/v1/event.grpc.pb.h"'),
                ("cli/import.cc", "<SQLiteCpp/SQLiteCpp.h>"),
                ("bridge/session.cc", "<asio.hpp>"),
                ("bridge/session.h", "<websocketpp/server.hpp>"),
                ("core/mint/minter.cc", "<spdlog/spdlog.h>"),
                ("core/mint/minter.cc", '"minter.h"')]:
            self.assertEqual(1, len(self.findings(path, include)), (path, include))

    def test_arrows_down_the_layers_are_fine(self):
        for path, include in [
                ("core/base/clock.cc", "<vector>"),
                ("core/base/clock.cc", '"core/base/clock.h"'),
                ("core/stream/hub.cc", '"core/wire/event_codec.h"'),
                ("core/rpc/server.cc", "<grpcpp/grpcpp.h>"),
                ("storage/journal.cc", "<SQLiteCpp/SQLiteCpp.h>"),
                ("bridge/websocket_server.cc", "<asio.hpp>"),
                ("cli/up_app.cc", '"storage/journal.h"'),
                ("tests/storage/journal_test.cc", '"storage/journal.h"')]:
            self.assertEqual([], self.findings(path, include), (path, include))


if __name__ == "__main__":
    unittest.main()
