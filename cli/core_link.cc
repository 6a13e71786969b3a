// SPDX-License-Identifier: Apache-2.0
#include "cli/core_link.h"

#include "cli/data_directory.h"
#include "core/access/reason.h"
#include "core/base/secret_file.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <chrono>
#include <vector>

namespace wattmint::cli {
namespace {

using client::Credential;

struct CredentialSource {
  std::string_view setting;
  std::string Settings::*value;
  Credential::Kind kind;
  bool is_file;
};

constexpr CredentialSource kCredentialSources[] = {
    {"token", &Settings::token, Credential::Kind::kBearer, false},
    {"token-file", &Settings::token_file, Credential::Kind::kBearer, true},
    {"api-key", &Settings::api_key, Credential::Kind::kApiKey, false},
    {"api-key-file", &Settings::api_key_file, Credential::Kind::kApiKey, true},
};

absl::StatusOr<Credential> ReadCredential(const CredentialSource& source,
                                          const Settings& settings) {
  if (!source.is_file) return Credential{source.kind, settings.*source.value};
  WATTMINT_ASSIGN_OR_RETURN(const std::string text, base::ReadSecretFile(settings.*source.value));
  return Credential{source.kind, text.substr(0, text.find('\n'))};
}

// The layer of an origin, as a rank: flag over environment over file.
int Rank(std::string_view origin) {
  return origin.starts_with("flag") ? 3 : origin.starts_with("environment") ? 2 : 1;
}

std::string_view Advice(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
      return "; check the credential that you gave, or the --data that its admin.key comes from";
    case absl::StatusCode::kDeadlineExceeded:
      return "; ask again, it may have happened all the same";
    default:
      return "";
  }
}

}  // namespace

absl::StatusOr<std::optional<Credential>> FindCredential(const ResolvedSettings& settings) {
  const CredentialSource* best = nullptr;
  int best_rank = 0;
  for (const CredentialSource& source : kCredentialSources) {
    if ((settings.values.*source.value).empty()) continue;
    const int rank = Rank(settings.origins.at(std::string(source.setting)));
    if (rank == best_rank) {
      return base::InvalidArgument("two credentials: {} and {}; keep one of them",
                                   settings.origins.at(std::string(best->setting)),
                                   settings.origins.at(std::string(source.setting)));
    }
    if (rank < best_rank) continue;
    best = &source;
    best_rank = rank;
  }
  if (best == nullptr) return std::nullopt;
  WATTMINT_ASSIGN_OR_RETURN(Credential credential, ReadCredential(*best, settings.values));
  WATTMINT_RETURN_IF_ERROR(client::CheckCredential(credential));
  return credential;
}

absl::StatusOr<client::ChannelOptions> FindCore(const ResolvedSettings& settings) {
  client::ChannelOptions options;
  options.target = settings.values.core_address;
  if (options.target.empty()) {
    options.target = DataDirectory(settings.values.data_directory)
                         .FindAddress("core")
                         .value_or(settings.values.grpc_address);
  }
  options.tls = {settings.values.core_ca, settings.values.core_certificate,
                 settings.values.core_key};
  const absl::Status usable = client::CheckTls(options.tls);
  if (!usable.ok()) {
    return base::InvalidArgument("{}; check --core-ca, --core-certificate and --core-key",
                                 base::Message(usable));
  }
  return options;
}

CoreLink::CoreLink(const client::ChannelOptions& core, client::Credential credential)
    : address_(core.target),
      credential_(std::move(credential)),
      channel_(client::OpenChannel(core)) {}

absl::StatusOr<CoreLink> CoreLink::Open(const ResolvedSettings& settings) {
  WATTMINT_ASSIGN_OR_RETURN(const client::ChannelOptions core, FindCore(settings));
  WATTMINT_ASSIGN_OR_RETURN(const std::optional<Credential> credential, FindCredential(settings));
  if (credential) return CoreLink(core, *credential);
  const absl::StatusOr<std::string> key =
      DataDirectory(settings.values.data_directory).FindAdminKey();
  if (key.ok()) return CoreLink(core, Credential::ApiKey(*key));
  if (!absl::IsNotFound(key.status())) return key.status();
  return base::InvalidArgument(
      "no credential: {} has no admin.key; name the core's --data, or set WATTMINT_API_KEY, "
      "WATTMINT_TOKEN, --api-key-file or --token-file",
      settings.values.data_directory);
}

void CoreLink::Prepare(std::chrono::seconds timeout, grpc::ClientContext& context) const {
  client::Attach(credential_, context);
  client::SetTimeout(timeout, context);
}

absl::Status CoreLink::Explain(const absl::Status& status) const {
  const std::optional<std::string> reason = access::ReasonOf(status);
  if (absl::IsUnavailable(status) && !reason) {
    return base::Unavailable(
        "no core answers at {}; start one with `wattmint up`, or say where it is: --core",
        address_);
  }
  return absl::Status(status.code(), fmt::format("the core at {} answered {}{}: {}{}", address_,
                                                 absl::StatusCodeToString(status.code()),
                                                 reason ? " " + *reason : "", base::Message(status),
                                                 Advice(status)));
}

}  // namespace wattmint::cli
