// SPDX-License-Identifier: Apache-2.0
#include "core/ledger/signer_link.h"

#include "core/base/assert.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "core/base/unix_socket.h"
#include "core/ledger/signer_protocol.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <poll.h>
#include <utility>

namespace wattmint::ledger {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kWaitMax = std::chrono::hours(1);  // fits poll(2)'s int

absl::Status WaitFor(const SignerStream& stream, steady_clock::time_point deadline) {
  pollfd entry{.fd = stream.fd().get(), .events = stream.events(), .revents = 0};
  while (true) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (rest.count() <= 0) return base::DeadlineExceeded("it did not answer in time");
    const int ready = poll(&entry, 1, static_cast<int>(std::min(rest, kWaitMax).count()));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return base::Unavailable("poll: {}", std::strerror(errno));
  }
}

}  // namespace

SignBatch::SignBatch(std::span<const std::string> texts)
    : texts_(texts), answers_(texts.size(), absl::UnknownError("")) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty() && texts[i].size() <= kSignerTextBytesMax) {
      open_.push_back(i);
    } else {
      answers_[i] = base::InvalidArgument("a text to be signed must have 1 to {} bytes, not {}",
                                          kSignerTextBytesMax, texts[i].size());
    }
  }
}

void SignBatch::AnswerFirst(Answer answer) {
  WATTMINT_ASSERT(!open_.empty(), "an answer came to no question");
  answers_[open_.front()] = std::move(answer);
  open_.pop_front();
}

void SignBatch::AnswerAll(const absl::Status& status) {
  while (!open_.empty()) AnswerFirst(status);
}

std::vector<SignBatch::Answer> SignBatch::TakeAnswers() {
  WATTMINT_ASSERT(open_.empty(), "{} texts have no answer", open_.size());
  return std::move(answers_);
}

absl::StatusOr<std::unique_ptr<SignerLink>> SignerLink::Connect(const std::filesystem::path& socket,
                                                                Deadline deadline) {
  WATTMINT_ASSIGN_OR_RETURN(base::UniqueFd fd, base::ConnectUnix(socket));
  std::unique_ptr<SignerLink> link(new SignerLink(std::move(fd)));
  WATTMINT_RETURN_IF_ERROR(link->Greet(deadline));
  return link;
}

absl::Status SignerLink::Greet(Deadline deadline) {
  stream_.Send(fmt::format("{}\n", kSignerHello));
  while (true) {
    const absl::Status moved = Move(deadline);
    WATTMINT_ASSIGN_OR_RETURN(const auto line, stream_.TakeLine());
    if (line) {
      WATTMINT_ASSIGN_OR_RETURN(key_, ParseKeyLine(*line));
      return absl::OkStatus();
    }
    WATTMINT_RETURN_IF_ERROR(moved);
  }
}

absl::Status SignerLink::Exchange(SignBatch& batch, Deadline deadline) {
  while (batch.open_count() > 0) {
    // The unanswered ones are the first of the open ones.
    while (asked_ - answered_ < std::min<std::uint64_t>(batch.open_count(), kSignerWindow)) {
      Ask(batch.open_text(asked_ - answered_));
    }
    const absl::Status moved = Move(deadline);
    WATTMINT_RETURN_IF_ERROR(TakeAnswers(batch));
    WATTMINT_RETURN_IF_ERROR(moved);
  }
  return absl::OkStatus();
}

void SignerLink::Ask(std::string_view text) {
  stream_.Send(SignLine({.id = ++asked_, .length = text.size()}));
  stream_.Send(text);
}

absl::Status SignerLink::Move(Deadline deadline) {
  WATTMINT_RETURN_IF_ERROR(WaitFor(stream_, deadline));
  const absl::Status sent = stream_.Flush();
  // A signer that closed may have said why, so what it sent counts before what did not reach it.
  WATTMINT_RETURN_IF_ERROR(stream_.Fill());
  return sent;
}

absl::Status SignerLink::TakeAnswers(SignBatch& batch) {
  while (true) {
    WATTMINT_ASSIGN_OR_RETURN(const auto line, stream_.TakeLine());
    if (!line) return absl::OkStatus();
    WATTMINT_ASSIGN_OR_RETURN(SignAnswer answer, ParseAnswerLine(*line));
    if (answered_ == asked_ || answer.id != answered_ + 1) {
      return base::Unavailable("it answered request {} out of order", answer.id);
    }
    ++answered_;
    batch.AnswerFirst(std::move(answer.signature));
  }
}

}  // namespace wattmint::ledger
