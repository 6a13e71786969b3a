// SPDX-License-Identifier: Apache-2.0
// An event of the feed in words.

import { kindOf } from "./feed.js";
import { plainKwh, short, utc } from "./text.js";

const NAMES = {
  MeterReadingReceived: "Reading",
  MeterReadingValidationFailed: "Refused",
  ReadingCorrected: "Corrected",
  ReadingWithdrawn: "Withdrawn",
  TokensMinted: "Minted",
  BatchMintingCompleted: "Batch",
  TaskCreated: "Task created",
  TaskStatusChanged: "Task moved",
  MeterChanged: "Meter changed",
  ApiKeyChanged: "Key changed",
  MintingSwitched: "Minting switched",
  Notification: "Notification",
};
const MINT_STATES = { NOT_APPLICABLE: "nothing to mint", PARKED: "parked" };

const ABOUT = {
  MeterReadingReceived: ({ timestamp, quality, channel, mint_state }) =>
    list(`for ${utc(timestamp, 16)}`, quality, channel === "consumption" && "consumed",
      MINT_STATES[mint_state]),
  MeterReadingValidationFailed: ({ error_reason, message }) => sentence(error_reason, message),
  ReadingCorrected: ({ timestamp, old_kwh_amount, reason }) =>
    list(`for ${utc(timestamp, 16)}`, `was ${plainKwh(old_kwh_amount)} kWh`, reason),
  ReadingWithdrawn: ({ timestamp, reason }) => list(`for ${utc(timestamp, 16)}`, reason),
  TokensMinted: ({ task_id, transaction_signature }) =>
    list(`task ${task_id}`, short(String(transaction_signature ?? ""))),
  BatchMintingCompleted: (batch) => list(
    `${batch.successful_mints} of ${batch.total_readings} minted`,
    batch.failed_mints && `${batch.failed_mints} failed`,
    batch.deferred_mints && `${batch.deferred_mints} put off`,
    batch.duplicate_mints && `${batch.duplicate_mints} there already`),
  TaskCreated: ({ task_id }) => `task ${task_id}`,
  TaskStatusChanged: ({ task_id, changes: { old_status, new_status, reason } }) =>
    list(`task ${task_id}: ${old_status} to ${new_status}`, reason),
  MeterChanged: ({ user_id, wallet_address, public_key }) => list(`of ${user_id}`,
    wallet_address ? `wallet ${short(wallet_address)}` : "no wallet", public_key && "with a key"),
  ApiKeyChanged: ({ user_id, key_id, revoked }) =>
    `key ${key_id} of ${user_id} ${revoked ? "revoked" : "made"}`,
  MintingSwitched: ({ paused, reason }) => list(paused ? "paused" : "goes on", reason),
  Notification: ({ level, message }) => sentence(level, message),
};

export function nameOf(type) { return NAMES[type] ?? type; }

export function aboutOf({ type, data }) { return ABOUT[type]?.(data) ?? ""; }

// How a row looks; what deserves attention stands out.
export function lookOf({ type, data }) {
  const isParked = data.mint_state === "PARKED" || data.changes?.new_status === "PARKED";
  return isParked || data.failed_mints > 0 ? "parked" : kindOf(type);
}

function list(...parts) { return parts.filter(Boolean).join(", "); }

function sentence(code, message) { return message ? `${code}: ${message}` : String(code ?? ""); }
