// SPDX-License-Identifier: Apache-2.0
#include "cli/child_program.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wattmint::cli {
namespace {

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "a pipe");
  return Pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& arguments, int input, int output) {
  std::vector<char*> texts = {const_cast<char*>("wattmint")};
  for (const std::string& argument : arguments)
    texts.push_back(const_cast<char*>(argument.c_str()));
  texts.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t process = 0;
  const int error =
      posix_spawn(&process, "/proc/self/exe", &actions, nullptr, texts.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return absl::ErrnoToStatus(error, "starting this program once more");
  return process;
}

// Up to the first end of a line; nothing if the other side ends before.
std::string ReadLine(int fd) {
  std::string line;
  for (char c = 0; read(fd, &c, 1) == 1;) {
    if (c == '\n') return line;
    line.push_back(c);
  }
  return {};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProgram>> ChildProgram::Start(
    const std::vector<std::string>& arguments) {
  WATTMINT_ASSIGN_OR_RETURN(Pipe input, MakePipe());
  WATTMINT_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  WATTMINT_ASSIGN_OR_RETURN(const pid_t process,
                            Spawn(arguments, input.read.get(), output.write.get()));
  output.write = base::UniqueFd();
  clockid_t clock = 0;
  const int error = clock_getcpuclockid(process, &clock);
  std::unique_ptr<ChildProgram> child(new ChildProgram(process, clock, std::move(input.write)));
  if (error != 0) return absl::ErrnoToStatus(error, "the clock of a process");
  child->line_ = ReadLine(output.read.get());
  if (child->line_.empty()) return base::Unavailable("{} ended at its start", arguments.front());
  return child;
}

ChildProgram::ChildProgram(pid_t process, clockid_t clock, base::UniqueFd input)
    : process_(process), clock_(clock), input_(std::move(input)) {}

ChildProgram::~ChildProgram() {
  input_ = base::UniqueFd();
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

double ChildProgram::CpuSeconds() const {
  timespec time{};
  WATTMINT_ASSERT(clock_gettime(clock_, &time) == 0, "process {} has ended", process_);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void SayReady(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void WaitUntilInputEnds() {
  for (char c = 0; read(STDIN_FILENO, &c, 1) > 0;) {
  }
}

std::size_t ResidentBytes(pid_t process) {
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  std::ifstream(fmt::format("/proc/{}/statm", process)) >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace wattmint::cli
