// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/domain/correction.h"
#include "core/domain/meter.h"
#include "core/domain/mint_task.h"
#include "core/domain/reading.h"
#include "core/store/announcement_record.h"
#include "core/store/api_key_record.h"
#include "core/store/transaction.h"
#include "storage/run.h"

#include <cstdint>

// Which columns make which value: each SELECT list stands beside the function that reads it, and
// both are used by the writer and by the readers alike.
namespace wattmint::storage {

// Continue with " WHERE t. ..." (mint_tasks t, readings r).
inline constexpr char kSelectTask[] =
    "SELECT t.task_id, r.accept_time, m.meter_id, n.user_id, r.energy, r.start, t.state, t.tokens,"
    " t.wallet_address, t.signed_bytes, t.transaction_signature, t.expiry_height, t.batch_id,"
    " t.attempts, t.sends, t.next_attempt, t.by_hand, t.reason, t.update_time"
    " FROM mint_tasks t CROSS JOIN readings r ON r.row = t.task_id"
    " CROSS JOIN tenures n ON n.tenure_ref = r.tenure_ref"
    " CROSS JOIN meters m ON m.meter_ref = r.meter_ref";
domain::MintTask ReadTask(const Run& run, std::uint16_t salt);

// Continue with " WHERE r. ..." (readings r).
inline constexpr char kSelectReading[] =
    "SELECT r.row, r.accept_time, m.meter_id, r.energy, r.start, r.length, r.quality, r.channel,"
    " n.user_id, n.wallet_address, t.state, x.request_id, x.meter_signature, x.voltage_volts,"
    " x.current_amperes, x.power_watts, x.frequency_hertz, x.meter_counter, y.public_key,"
    " r.meter_ref"
    " FROM readings r CROSS JOIN tenures n ON n.tenure_ref = r.tenure_ref"
    " CROSS JOIN meters m ON m.meter_ref = r.meter_ref"
    " LEFT JOIN mint_tasks t ON t.task_id = r.row LEFT JOIN reading_extras x ON x.row = r.row"
    " LEFT JOIN meter_keys y ON y.key_ref = x.key_ref";
domain::AcceptedReading ReadReading(const Run& run, std::uint16_t salt);
store::StoredReading ReadStoredReading(const Run& run, std::uint16_t salt);

// Continue with " WHERE r. ..." (readings r).
inline constexpr char kSelectKnownReading[] =
    "SELECT r.row, r.accept_time, r.energy, r.quality, r.channel, t.state"
    " FROM readings r LEFT JOIN mint_tasks t ON t.task_id = r.row";
store::KnownReading ReadKnownReading(const Run& run, std::uint16_t salt);

// Continue with " WHERE row = ...".
inline constexpr char kSelectCorrection[] =
    "SELECT correction_id, kind, time, user_id, reason, old_energy, old_quality, energy, quality"
    " FROM corrections";
domain::Correction ReadCorrection(const Run& run);

inline constexpr char kSelectMeter[] =
    "SELECT meter_ref, meter_id, user_id, wallet_address, register_time, update_time, public_key"
    " FROM meters";
domain::Meter ReadMeter(const Run& run);

inline constexpr char kSelectApiKey[] =
    "SELECT key_id, sha256, user_id, roles, display_name, create_time, expire_time, revoke_time,"
    " requests_per_second FROM api_keys";
store::ApiKeyRecord ReadApiKey(const Run& run);

inline constexpr char kSelectAnnouncement[] =
    "SELECT request_id, sha256, sequence, time FROM announcements";
store::AnnouncementRecord ReadAnnouncement(const Run& run);

}  // namespace wattmint::storage
