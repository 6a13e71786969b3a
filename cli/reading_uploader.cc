// SPDX-License-Identifier: Apache-2.0
#include "cli/reading_uploader.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <utility>

namespace wattmint::cli {
namespace {

void SetTimestamp(domain::Time time, google::protobuf::Timestamp& timestamp) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  timestamp.set_seconds(seconds.time_since_epoch().count());
  timestamp.set_nanos(static_cast<std::int32_t>((time - seconds).count() * 1'000));
}

client::ReadingSender::Options SenderOptions(const CoreLink& link) {
  client::ReadingSender::Options options;
  options.credential = link.credential();
  return options;
}

}  // namespace

void FillReadingInput(const ReadingRow& row, domain::Channel channel, v1::ReadingInput& input) {
  input.set_meter_id(row.meter_id);
  input.set_energy_kwh(row.energy_kwh);
  if (row.length == domain::Duration::zero()) {
    SetTimestamp(row.start, *input.mutable_read_time());
  } else {
    SetTimestamp(row.start, *input.mutable_interval_start());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(row.length);
    input.mutable_interval()->set_seconds(seconds.count());
    input.mutable_interval()->set_nanos(
        static_cast<std::int32_t>((row.length - seconds).count() * 1'000));
  }
  input.set_quality(static_cast<v1::ReadingQuality>(row.quality));
  input.set_channel(static_cast<v1::EnergyChannel>(channel));
  if (!row.request_id.empty()) input.set_request_id(row.request_id);
}

ReadingUploader::ReadingUploader(const CoreLink& link, const Options& options, ImportReport& report,
                                 Progress& progress)
    : link_(link),
      options_(options),
      report_(report),
      sender_(
          link.channel(), SenderOptions(link),
          [this](const v1::StreamReadingsRequest&, const v1::StreamReadingsResponse& response) {
            report_.AddAcknowledged(sent_lines_.front().file, sent_lines_.front().lines, response);
            sent_lines_.pop_front();
          },
          [&progress](const absl::Status& why, base::Duration retry_in) {
            progress.Say(fmt::format(
                "the connection was lost ({}); trying again in {} ms", base::Message(why),
                std::chrono::duration_cast<std::chrono::milliseconds>(retry_in).count()));
          }) {}

absl::Status ReadingUploader::Add(const std::string& file, std::int64_t line,
                                  const ReadingRow& row) {
  if (batch_lines_.file != file) WATTMINT_RETURN_IF_ERROR(Flush());
  batch_lines_.file = file;
  batch_lines_.lines.push_back(line);
  FillReadingInput(row, options_.channel, *batch_.add_readings());
  return batch_.readings_size() < options_.batch_max ? absl::OkStatus() : Flush();
}

absl::Status ReadingUploader::Flush() {
  if (batch_.readings_size() == 0) return absl::OkStatus();
  batch_.set_age_policy(options_.age_policy);
  sent_lines_.push_back(std::exchange(batch_lines_, {}));
  const absl::Status status = sender_.Send(std::exchange(batch_, {}));
  return status.ok() ? status : link_.Explain(status);
}

absl::Status ReadingUploader::Finish() {
  WATTMINT_RETURN_IF_ERROR(Flush());
  const absl::Status status = sender_.Finish();
  return status.ok() ? status : link_.Explain(status);
}

}  // namespace wattmint::cli
