// SPDX-License-Identifier: Apache-2.0
#include "core/access/key_refresh.h"

#include "core/base/status.h"

#include <utility>

namespace wattmint::access {

KeyRefresh::KeyRefresh(const Options& options, JwtVerifier& verifier, base::Clock& clock,
                       OnChange on_change, OnTrouble on_trouble)
    : options_(options),
      verifier_(verifier),
      clock_(clock),
      on_change_(std::move(on_change)),
      on_trouble_(std::move(on_trouble)),
      tokens_from_(clock.Steady()) {
  state_.last_success = clock.Now();
}

void KeyRefresh::Run() {
  while (WaitUntilDue()) Settle(verifier_.Reload([this] { return IsStopping(); }));
}

bool KeyRefresh::WaitUntilDue() {
  base::MutexLock lock(mutex_);
  changed_.WaitFor(mutex_, options_.interval,
                   [this]() WATTMINT_REQUIRES(mutex_) { return stopping_ || is_wanted_; });
  is_looking_ = !stopping_;
  is_wanted_ = false;
  return !stopping_;
}

void KeyRefresh::Settle(const absl::StatusOr<bool>& has_changed) {
  {
    base::MutexLock lock(mutex_);
    is_looking_ = false;
    if (stopping_) return;
    if (has_changed.ok()) {
      state_.last_success = clock_.Now();
    } else {
      ++state_.failed;
    }
  }
  const std::string trouble(base::Message(has_changed.status()));
  const bool is_news = std::exchange(last_trouble_, trouble) != trouble;
  if (!has_changed.ok()) {
    if (is_news) on_trouble_(has_changed.status());
  } else if (*has_changed) {
    on_change_();
  }
}

void KeyRefresh::Stop() {
  base::MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
}

void KeyRefresh::Wake() {
  base::MutexLock lock(mutex_);
  is_wanted_ = true;
  changed_.NotifyAll();
}

bool KeyRefresh::OnUnknownKey() {
  base::MutexLock lock(mutex_);
  if (stopping_) return false;
  if (is_wanted_ || is_looking_) return true;
  if (clock_.Steady() < tokens_from_) return false;
  tokens_from_ = clock_.Steady() + options_.token_gap;
  is_wanted_ = true;
  changed_.NotifyAll();
  return true;
}

KeyRefresh::State KeyRefresh::state() const {
  base::MutexLock lock(mutex_);
  return state_;
}

bool KeyRefresh::IsStopping() const {
  base::MutexLock lock(mutex_);
  return stopping_;
}

}  // namespace wattmint::access
