// SPDX-License-Identifier: Apache-2.0
#include "core/rpc/calls.h"

#include "core/base/status_macros.h"

namespace wattmint::rpc {

absl::StatusOr<access::Principal> Calls::Admit(const grpc::CallbackServerContext& context,
                                               const MethodRule& rule) const {
  WATTMINT_RETURN_IF_ERROR(streams_.CheckOpen());
  return guard_.Admit(context, rule);
}

}  // namespace wattmint::rpc
