// SPDX-License-Identifier: Apache-2.0
#include "storage/log_identity.h"

#include "core/base/assert.h"
#include "core/base/random.h"
#include "storage/random_uuid.h"
#include "storage/run.h"
#include "storage/sqlite_status.h"

namespace wattmint::storage {

absl::Status EnsureLogIdentity(Connection& connection) {
  return Guarded("drawing the log's identity", [&] {
    base::SystemRandom random;
    const base::Uuid epoch = RandomUuid(random);
    const auto salt = static_cast<std::int64_t>(random.NextBelow(4'096));
    Run(connection.Prepared("INSERT OR IGNORE INTO log (only, epoch, salt) VALUES (1, ?, ?)"),
        Blob::Of(epoch.bytes), salt)
        .Execute();
    return absl::OkStatus();
  });
}

absl::Status RenewEpoch(Connection& connection) {
  return Guarded("drawing the log's identity", [&] {
    base::SystemRandom random;
    const base::Uuid epoch = RandomUuid(random);
    Run(connection.Prepared("UPDATE log SET epoch = ?"), Blob::Of(epoch.bytes)).Execute();
    return absl::OkStatus();
  });
}

LogIdentity ReadLogIdentity(Connection& connection) {
  Run run(connection.Prepared("SELECT epoch, salt FROM log"));
  const bool found = run.Next();
  WATTMINT_ASSERT(found, "the database has no identity");
  return {base::Uuid{run.Bytes<16>(0)}.ToString(), static_cast<std::uint16_t>(run.Int32(1))};
}

}  // namespace wattmint::storage
