# SPDX-License-Identifier: Apache-2.0
"""The style check must be able to fail: one tree for each rule."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_style  # noqa: E402

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def findings(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = Path(root) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return check_style.findings(root)


def source(body):
    """A tree of one source that is clean but for `body`."""
    return {"core/a/a.cc": SPDX + body, "core/a/CMakeLists.txt": "a.cc"}


class CheckStyleTest(unittest.TestCase):
    def finds(self, text, files):
        found = findings(files)
        self.assertEqual(1, len(found), found)
        self.assertIn(text, found[0])

    def test_clean_tree_has_no_findings(self):
        self.assertEqual([], findings(source("int A() { return 1; }\n") | {
            "core/a/a.h": SPDX + "#pragma once\n",
            "tests/a_test.cc": SPDX + '#include "core/a/a.h"\n',
            "tests/CMakeLists.txt": "a_test.cc",
            "README.md": "[a](core/a/a.h) [core](core) [web](https://example.org) `[x](y)`\n"}))

    def test_file_over_its_budget(self):
        self.finds("401 lines", source("int a;\n" * 400))
        self.assertEqual([], findings({"tests/a.cc": SPDX + "int a;\n" * 400,
                                       "tests/CMakeLists.txt": "a.cc"}))

    def test_long_function(self):
        body = "  Call([&] {\n    return \"{\";\n  });\n"
        self.finds("a.cc:3: function of 71 lines",
                   source("int A(int a,\n      int b) {\n" + body + "  int c;\n" * 66 + "}\n"))
        self.assertEqual([], findings(source("int A() {\n" + "  int c;\n" * 60 + "}\n" +
                                             "int B() {\n" + "  int c;\n" * 60 + "}\n")))

    def test_long_line(self):
        self.finds("101 columns", source("//" + "x" * 99 + "\n"))

    def test_blank_at_the_end_of_a_line(self):
        self.finds("blank", source("int a; \n"))

    def test_left_overs(self):
        self.finds("TO" "DO", source("// TO" "DO: later\n"))

    def test_banned_calls(self):
        for call in ["std::this_thread::sleep_for(x);", "auto* x = getenv(y);", "std::mutex m;",
                     "std::cout << 1;", "x << std::endl;", "int r = rand();", "// -----"]:
            self.assertEqual(1, len(findings(source(call + "\n"))), call)

    def test_banned_calls_in_comments_and_strings_are_fine(self):
        self.assertEqual([], findings(source('// std::mutex\nauto* x = "getenv";\n')))

    def test_banned_calls_where_they_belong_are_fine(self):
        self.assertEqual([], findings({"cli/a.cc": SPDX + "auto* x = getenv(y);\n",
                                       "cli/CMakeLists.txt": "a.cc"}))

    def test_source_that_nothing_builds(self):
        self.finds("no CMakeLists.txt names it", {"core/a/a.cc": SPDX})

    def test_source_that_a_loop_builds(self):
        self.assertEqual([], findings({"core/a/b_test.cc": SPDX,
                                       "core/a/CMakeLists.txt": "SOURCES ${name}_test.cc"}))

    def test_header_that_nothing_includes(self):
        self.finds("nothing includes it", {"core/a/a.h": SPDX + "#pragma once\n"})

    def test_missing_licence(self):
        self.finds("first line", {"core/a/a.cc": "int a;\n", "core/CMakeLists.txt": "a/a.cc"})
        self.finds("first line", {"tools/x": "#!/bin/bash\necho\n"})

    def test_missing_pragma_once(self):
        self.finds("pragma once", source('#include "core/a/a.h"\n') | {"core/a/a.h": SPDX})

    def test_broken_link(self):
        self.finds("broken link to ../b.md", {"core/README.md": "[b](../b.md)\n"})

    def test_generated_code(self):
        self.finds("generated", source('#include "core/a/a.pb.h"\n') |
                   {"core/a/a.pb.h": SPDX + "#pragma once\n"})

    def test_stranger_at_the_top(self):
        self.finds("notes.txt", {"notes.txt": "x\n"})


if __name__ == "__main__":
    unittest.main()
