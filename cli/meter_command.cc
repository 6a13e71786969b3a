// SPDX-License-Identifier: Apache-2.0
#include "cli/byte_source.h"
#include "cli/commands.h"
#include "cli/core_link.h"
#include "cli/csv_reader.h"
#include "cli/message_tables.h"
#include "cli/meter_key.h"
#include "core/base/status.h"
#include "core/base/status_macros.h"
#include "wattmint/v1/meter.grpc.pb.h"

#include <CLI/App.hpp>
#include <fmt/ranges.h>

#include <array>
#include <memory>

namespace wattmint::cli {
namespace {

using Stub = v1::MeterService::Stub;

struct MeterOptions {
  std::string meter_id;
  std::string user_id;
  std::string wallet_address;
  std::string public_key;
  std::string file;
};
using Options = std::shared_ptr<MeterOptions>;  // shared: by the parser and the body it is kept for

constexpr int kPageSize = 1'000;

ExitCode PrintMeter(Output& output, const v1::Meter& meter) {
  output.PrintList(std::array{meter}, MeterColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Register(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::RegisterMeterRequest request;
  request.set_meter_id(options.meter_id);
  request.set_user_id(options.user_id);
  request.set_wallet_address(options.wallet_address);
  request.set_public_key(options.public_key);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::RegisterMeter, request));
  return PrintMeter(context.output, response.meter());
}

// Which columns of a file say what.
struct MeterColumnPlaces {
  std::size_t meter_id;
  std::size_t user_id;
  std::size_t wallet_address;
  std::optional<std::size_t> public_key;  // files of meters without keys lack it
};

absl::StatusOr<MeterColumnPlaces> FindColumns(const CsvRecord& header) {
  const auto find = [&](std::string_view name) -> std::optional<std::size_t> {
    const auto at = std::find(header.fields.begin(), header.fields.end(), name);
    if (at == header.fields.end()) return std::nullopt;
    return static_cast<std::size_t>(at - header.fields.begin());
  };
  const auto meter_id = find("meter_id");
  const auto user_id = find("user_id");
  const auto wallet_address = find("wallet_address");
  if (!meter_id || !user_id || !wallet_address) {
    return base::InvalidArgument(
        "the first line of the file must name meter_id, user_id and wallet_address, not only {}",
        fmt::join(header.fields, ", "));
  }
  return MeterColumnPlaces{*meter_id, *user_id, *wallet_address, find("public_key")};
}

v1::RegisterMeterRequest RequestOf(const CsvRecord& record, const MeterColumnPlaces& places) {
  v1::RegisterMeterRequest request;
  request.set_meter_id(std::string(record.fields[places.meter_id]));
  request.set_user_id(std::string(record.fields[places.user_id]));
  request.set_wallet_address(std::string(record.fields[places.wallet_address]));
  if (places.public_key) {
    request.set_public_key(std::string(record.fields[*places.public_key]));
  }
  return request;
}

absl::StatusOr<ExitCode> RegisterFile(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  WATTMINT_ASSIGN_OR_RETURN(ByteSource source, ByteSource::Open(options.file));
  CsvReader reader([&](std::span<char> out) { return source.Read(out); });
  CsvRecord record;
  WATTMINT_ASSIGN_OR_RETURN(bool more, reader.Next(record));
  WATTMINT_ASSIGN_OR_RETURN(const auto places, FindColumns(record));
  reader.ExpectFields(record.fields.size());
  std::vector<v1::Meter> registered;
  int refused = 0;
  while (true) {
    WATTMINT_ASSIGN_OR_RETURN(more, reader.Next(record));
    if (!more) break;
    absl::StatusOr<v1::RegisterMeterResponse> response =
        base::InvalidArgument("{}", record.problem);
    if (record.problem.empty()) {
      response = link.Call(&Stub::RegisterMeter, RequestOf(record, places));
    }
    if (response.ok()) {
      registered.push_back(response->meter());
      continue;
    }
    if (absl::IsUnavailable(response.status()) || absl::IsUnauthenticated(response.status()) ||
        absl::IsPermissionDenied(response.status())) {
      return response.status();  // no row would do better
    }
    ++refused;
    fmt::print(context.error, "{}, line {}: {}\n", source.name(), record.line,
               base::Message(response.status()));
  }
  context.output.PrintList(registered, MeterColumns());
  return refused == 0 ? ExitCode::kOk : ExitCode::kRowsRefused;
}

absl::StatusOr<ExitCode> Get(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::GetMeterRequest request;
  request.set_meter_id(options.meter_id);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::GetMeter, request));
  return PrintMeter(context.output, response.meter());
}

absl::StatusOr<ExitCode> List(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::ListMetersRequest request;
  request.set_user_id(options.user_id);
  request.set_page_size(kPageSize);
  std::vector<v1::Meter> meters;
  do {
    WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::ListMeters, request));
    meters.insert(meters.end(), response.meters().begin(), response.meters().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  context.output.PrintList(meters, MeterColumns());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Transfer(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::TransferMeterRequest request;
  request.set_meter_id(options.meter_id);
  request.set_user_id(options.user_id);
  request.set_wallet_address(options.wallet_address);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::TransferMeter, request));
  return PrintMeter(context.output, response.meter());
}

absl::StatusOr<ExitCode> SetWallet(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::SetMeterWalletRequest request;
  request.set_meter_id(options.meter_id);
  request.set_wallet_address(options.wallet_address);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::SetMeterWallet, request));
  return PrintMeter(context.output, response.meter());
}

absl::StatusOr<ExitCode> SetKey(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const CoreLink link, CoreLink::Open(context.settings));
  v1::SetMeterKeyRequest request;
  request.set_meter_id(options.meter_id);
  request.set_public_key(options.public_key);
  WATTMINT_ASSIGN_OR_RETURN(const auto response, link.Call(&Stub::SetMeterKey, request));
  return PrintMeter(context.output, response.meter());
}

absl::StatusOr<ExitCode> MakeKey(const MeterOptions& options, CommandContext& context) {
  WATTMINT_ASSIGN_OR_RETURN(const MeterKey key, MeterKey::Create(options.file));
  context.output.Facts({{"public key", key.public_key()}});
  context.output.Json(nlohmann::ordered_json{{"public_key", key.public_key()}});
  return ExitCode::kOk;
}

CommandBody Body(absl::StatusOr<ExitCode> (*run)(const MeterOptions&, CommandContext&),
                 Options options) {
  return [=](CommandContext& context) { return run(*options, context); };
}

absl::StatusOr<ExitCode> RegisterOneOrFile(const MeterOptions& options, CommandContext& context) {
  const bool has_file = !options.file.empty();
  if (has_file == !options.meter_id.empty()) {
    return base::InvalidArgument("name one METER with its --owner, or a file: --from-csv FILE");
  }
  if (has_file) return RegisterFile(options, context);
  return Register(options, context);
}

}  // namespace

void DeclareMeter(CLI::App& app, CommandLine& line) {
  app.require_subcommand(1);
  const Options options = std::make_shared<MeterOptions>();
  const auto add = [&](const char* name, const char* summary) {
    return app.add_subcommand(name, summary);
  };
  CLI::App* command = add("register", "register a meter, or those of a CSV file (admin)");
  command->add_option("METER", options->meter_id, "id of the meter");
  command->add_option("--owner", options->user_id, "user who owns it")->type_name("USER");
  command->add_option("--wallet", options->wallet_address, "the owner's wallet: a Solana address")
      ->type_name("ADDRESS");
  command
      ->add_option("--public-key", options->public_key,
                   "the Ed25519 public key (base58) that its readings must be signed for")
      ->type_name("KEY");
  command
      ->add_option("--from-csv", options->file,
                   "file with the columns meter_id, user_id, wallet_address, and public_key if "
                   "meters have keys; - is standard input")
      ->type_name("FILE");
  line.Command(*command, kClientScope, Body(RegisterOneOrFile, options));

  command = add("get", "show one meter");
  command->add_option("METER", options->meter_id, "id of the meter")->required();
  line.Command(*command, kClientScope, Body(Get, options));

  command = add("list", "list the meters that you may see");
  command->add_option("--owner", options->user_id, "only meters of this user")->type_name("USER");
  line.Command(*command, kClientScope, Body(List, options));

  command = add("transfer", "give a meter to another user (admin)");
  command->add_option("METER", options->meter_id, "id of the meter")->required();
  command->add_option("--owner", options->user_id, "the new owner")->type_name("USER")->required();
  command->add_option("--wallet", options->wallet_address, "the new owner's wallet")
      ->type_name("ADDRESS");
  line.Command(*command, kClientScope, Body(Transfer, options));

  command = add("set-wallet", "set the wallet that later mints go to");
  command->add_option("METER", options->meter_id, "id of the meter")->required();
  command->add_option("WALLET", options->wallet_address, "a Solana address; empty takes it away")
      ->required();
  line.Command(*command, kClientScope, Body(SetWallet, options));

  command = add("set-key", "set the key that the meter signs its readings with (admin)");
  command->add_option("METER", options->meter_id, "id of the meter")->required();
  command
      ->add_option("KEY", options->public_key,
                   "an Ed25519 public key (base58); empty takes it away")
      ->required();
  line.Command(*command, kClientScope, Body(SetKey, options));

  command = add("make-key", "make a secret key for a meter, and tell its public key");
  command->add_option("FILE", options->file, "where to write it, for its owner alone")->required();
  line.Command(*command, 0, Body(MakeKey, options));
}

}  // namespace wattmint::cli
