// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/unique_fd.h"

#include <absl/status/statusor.h>

#include <ctime>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace wattmint::cli {

// This program once more, in a process of its own, as a server whose cost can be told from that of
// its clients. It says one line when it is ready, and ends when its standard input does: it calls
// WaitUntilInputEnds().
//
// Threads: one at a time.
class ChildProgram {
 public:
  // Runs this program with these arguments until it is ready. Errors: the system's; kUnavailable
  // if it ends before it is ready.
  static absl::StatusOr<std::unique_ptr<ChildProgram>> Start(
      const std::vector<std::string>& arguments);
  // Ends it, and waits for that.
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  // What it said, without the end of the line.
  const std::string& line() const { return line_; }
  pid_t process() const { return process_; }
  // Of all its threads so far, user and system.
  double CpuSeconds() const;

 private:
  ChildProgram(pid_t process, clockid_t clock, base::UniqueFd input);

  const pid_t process_;
  const clockid_t clock_;
  base::UniqueFd input_;
  std::string line_;
};

// Says that the child is ready, and blocks until whoever started it has ended or wants it to end.
void SayReady(const std::string& line);
void WaitUntilInputEnds();

// Memory of a process that is in RAM; 0 if there is none such.
std::size_t ResidentBytes(pid_t process);

}  // namespace wattmint::cli
