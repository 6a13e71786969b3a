// SPDX-License-Identifier: Apache-2.0
#include "storage/schema.h"

namespace wattmint::storage {
namespace {

// Numbers of states, qualities and channels are those of core/domain: never renumber. Hot tables
// declare no foreign keys: each would cost a look-up for each row, and the writer draws those
// numbers itself. Conditions of partial indexes are ranges: an IN list would be
// built anew for each insertion (measured: 0.8 us).
constexpr const char* kWattmint1 = R"sql(
CREATE TABLE log (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  epoch BLOB NOT NULL CHECK (length(epoch) = 16),
  salt INTEGER NOT NULL CHECK (salt BETWEEN 0 AND 4095)
) STRICT;

CREATE TABLE meters (
  meter_ref INTEGER PRIMARY KEY,
  meter_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  wallet_address TEXT NOT NULL,
  register_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  mint_remainder INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE tenures (
  tenure_ref INTEGER PRIMARY KEY,
  meter_ref INTEGER NOT NULL REFERENCES meters,
  user_id TEXT NOT NULL,
  wallet_address TEXT NOT NULL,
  first_row INTEGER NOT NULL,
  end_row INTEGER NOT NULL DEFAULT 9223372036854775807,
  readings INTEGER NOT NULL DEFAULT 0,
  not_applicable INTEGER NOT NULL DEFAULT 0,
  confirmed INTEGER NOT NULL DEFAULT 0,
  parked INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  energy INTEGER NOT NULL DEFAULT 0,
  confirmed_energy INTEGER NOT NULL DEFAULT 0,
  confirmed_tokens INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tenures_by_meter ON tenures (meter_ref, first_row);
CREATE INDEX tenures_by_user ON tenures (user_id, meter_ref);

CREATE TABLE readings (
  row INTEGER PRIMARY KEY,
  meter_ref INTEGER NOT NULL,
  tenure_ref INTEGER NOT NULL,
  start INTEGER NOT NULL,
  length INTEGER NOT NULL CHECK (length >= 0),
  energy INTEGER NOT NULL,
  quality INTEGER NOT NULL CHECK (quality BETWEEN 1 AND 4),
  channel INTEGER NOT NULL CHECK (channel BETWEEN 1 AND 2),
  accept_time INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX readings_by_key ON readings (meter_ref, start, length);

CREATE TABLE reading_extras (
  row INTEGER PRIMARY KEY,
  meter_ref INTEGER NOT NULL,
  request_id TEXT,
  meter_signature TEXT,
  voltage_volts REAL,
  current_amperes REAL,
  power_watts REAL,
  frequency_hertz REAL
) STRICT;
CREATE UNIQUE INDEX reading_extras_by_request ON reading_extras (meter_ref, request_id)
  WHERE request_id IS NOT NULL;

CREATE TABLE mint_tasks (
  task_id INTEGER PRIMARY KEY,
  state INTEGER NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 8),
  next_attempt INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  by_hand INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  expiry_height INTEGER NOT NULL DEFAULT 0,
  wallet_address TEXT NOT NULL DEFAULT '',
  signed_bytes BLOB NOT NULL DEFAULT x'',
  transaction_signature TEXT NOT NULL DEFAULT '',
  batch_id TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX mint_tasks_due ON mint_tasks (state, next_attempt) WHERE state = 1;
CREATE INDEX mint_tasks_due_by_hand ON mint_tasks (state, by_hand, next_attempt)
  WHERE state = 1 AND by_hand = 1;
CREATE INDEX mint_tasks_in_work ON mint_tasks (state) WHERE state BETWEEN 2 AND 4;
CREATE INDEX mint_tasks_set_aside ON mint_tasks (state) WHERE state >= 6;

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  payload BLOB NOT NULL
) STRICT;

CREATE TABLE api_keys (
  key_id TEXT PRIMARY KEY,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  user_id TEXT NOT NULL,
  roles INTEGER NOT NULL,
  display_name TEXT NOT NULL,
  create_time INTEGER NOT NULL,
  expire_time INTEGER,
  revoke_time INTEGER,
  requests_per_second INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE switches (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// A remainder means something only beside the denominator of the ratio that left it over.
constexpr const char* kWattmint2 = R"sql(
ALTER TABLE meters ADD COLUMN mint_remainder_denominator INTEGER NOT NULL DEFAULT 1
  CHECK (mint_remainder_denominator >= 1);
UPDATE meters SET mint_remainder = 0;
)sql";

// What is signed on a day is capped; tasks in work are asked for by time.
constexpr const char* kWattmint3 = R"sql(
ALTER TABLE mint_tasks ADD COLUMN sends INTEGER NOT NULL DEFAULT 0;
DROP INDEX mint_tasks_in_work;
CREATE INDEX mint_tasks_in_work ON mint_tasks (state, next_attempt) WHERE state BETWEEN 2 AND 4;
UPDATE mint_tasks SET next_attempt = 0 WHERE state BETWEEN 2 AND 4;

CREATE TABLE mint_days (
  day INTEGER PRIMARY KEY,
  energy INTEGER NOT NULL
) STRICT;
)sql";

// Empty: the meter has no key.
constexpr const char* kWattmint4 = R"sql(
ALTER TABLE meters ADD COLUMN public_key TEXT NOT NULL DEFAULT '';
)sql";

// Signed readings: which key, and how far its counter is.
constexpr const char* kWattmint5 = R"sql(
CREATE TABLE meter_keys (
  key_ref INTEGER PRIMARY KEY,
  meter_ref INTEGER NOT NULL,
  public_key TEXT NOT NULL,
  counter INTEGER NOT NULL,
  UNIQUE (meter_ref, public_key)
) STRICT;
ALTER TABLE reading_extras ADD COLUMN meter_counter INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reading_extras ADD COLUMN key_ref INTEGER;
)sql";

// What is suddenly far above a meter's greatest mean power so far is not minted by itself.
constexpr const char* kWattmint6 = R"sql(
CREATE TABLE meter_peaks (
  meter_ref INTEGER PRIMARY KEY,
  first_start INTEGER NOT NULL,
  milliwatts INTEGER NOT NULL
) STRICT;
)sql";

// What accepted readings said before they were changed, in the order of the changes.
constexpr const char* kWattmint7 = R"sql(
CREATE TABLE corrections (
  correction_id INTEGER PRIMARY KEY,
  row INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 2),
  time INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  old_energy INTEGER NOT NULL,
  old_quality INTEGER NOT NULL CHECK (old_quality BETWEEN 1 AND 4),
  energy INTEGER NOT NULL,
  quality INTEGER NOT NULL CHECK (quality BETWEEN 1 AND 4)
) STRICT;
CREATE INDEX corrections_by_row ON corrections (row);
)sql";

// The size of the log, so that it can be bounded.
constexpr const char* kWattmint8 = R"sql(
ALTER TABLE log ADD COLUMN event_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE log SET event_bytes = (SELECT coalesce(sum(length(payload)), 0) FROM events);
)sql";

// When each API key was used last, those of files included.
constexpr const char* kWattmint9 = R"sql(
CREATE TABLE api_key_uses (
  key_id TEXT PRIMARY KEY,
  last_use INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// What was sent by which request, so that nothing is sent twice.
constexpr const char* kWattmint10 = R"sql(
CREATE TABLE announcements (
  request_id TEXT PRIMARY KEY,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// The tasks of one batch are asked for.
constexpr const char* kWattmint11 = R"sql(
CREATE INDEX mint_tasks_by_batch ON mint_tasks (batch_id) WHERE batch_id > '';
)sql";

constexpr const char* kLedger1 = R"sql(
CREATE TABLE meta (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  ledger_id BLOB NOT NULL CHECK (length(ledger_id) = 16)
) STRICT;

CREATE TABLE wallets (
  wallet_ref INTEGER PRIMARY KEY,
  wallet_address TEXT NOT NULL UNIQUE,
  balance INTEGER NOT NULL
) STRICT;

CREATE TABLE entries (
  height INTEGER PRIMARY KEY,
  idempotency_key TEXT NOT NULL UNIQUE,
  wallet_ref INTEGER NOT NULL REFERENCES wallets,
  tokens INTEGER NOT NULL,
  supply INTEGER NOT NULL,
  signed_bytes BLOB NOT NULL,
  signature BLOB NOT NULL CHECK (length(signature) = 64),
  time INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
)sql";

constexpr const char* kWattmintScripts[] = {kWattmint1, kWattmint2,  kWattmint3, kWattmint4,
                                            kWattmint5, kWattmint6,  kWattmint7, kWattmint8,
                                            kWattmint9, kWattmint10, kWattmint11};
constexpr const char* kLedgerScripts[] = {kLedger1};

}  // namespace

// The ids spell "wmdb" and "wmlg".
const Schema kWattmintSchema{0x776d6462, kWattmintScripts};
const Schema kLedgerSchema{0x776d6c67, kLedgerScripts};

}  // namespace wattmint::storage
