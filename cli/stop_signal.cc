// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signal.h"

#include "core/base/status.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/signalfd.h>

namespace wattmint::cli {

StopSignal::StopSignal(Hangup hangup) {
  sigemptyset(&signals_);
  if (hangup == Hangup::kIsNews) sigaddset(&signals_, SIGHUP);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);
}

StopSignal::~StopSignal() {
  while (WaitFor(base::Duration::zero())) {
    // One that came too late must not end the process, either.
  }
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void StopSignal::Wait(const std::function<void()>& on_hangup) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0) continue;
    if (signal != SIGHUP) return;
    on_hangup();
  }
}

absl::StatusOr<base::UniqueFd> StopSignal::Descriptor() const {
  base::UniqueFd fd(signalfd(-1, &signals_, SFD_NONBLOCK | SFD_CLOEXEC));
  if (fd.IsOpen()) return fd;
  return base::Unavailable("signalfd: {}", std::strerror(errno));
}

bool StopSignal::WaitFor(base::Duration timeout) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + timeout;
  while (true) {
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::max(deadline - steady_clock::now(), steady_clock::duration::zero()));
    const timespec time{.tv_sec = rest.count() / 1'000'000'000,
                        .tv_nsec = rest.count() % 1'000'000'000};
    if (sigtimedwait(&signals_, nullptr, &time) > 0) return true;
    if (errno != EINTR) return false;
  }
}

}  // namespace wattmint::cli
