// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/rpc/status_convert.h"

#include <absl/status/status.h>

namespace wattmint::rpc {

// A streaming call that ends at once. Lifetime: its own, until gRPC says OnDone().
template <typename Reactor>
class RefusedCall final : public Reactor {
 public:
  explicit RefusedCall(const absl::Status& status) { this->Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace wattmint::rpc
