// SPDX-License-Identifier: Apache-2.0
// The contract of @wattmint/client. Field names are those of the wire, see bridge/README.md.

/** One of them. A string means `token`. */
export type Credential =
  | string
  | { ticket: string }  // one-time, of POST /ws/ticket; travels in the address
  | { token: string }   // JWT or API key; travels in the first message, never in the address
  | { apiKey: string };

export type State = "idle" | "connecting" | "authenticating" | "open" | "waiting" | "closed";

export interface StateChange {
  state: State;
  previous: State;
  /** Connections that failed one after another. */
  attempt: number;
  /** waiting, closed: why; a code of the wire, or CONNECTION_LOST, SILENT, NO_ANSWER, CLOSED. */
  reason?: string;
  /** closed: why, in a sentence. */
  message?: string;
  /** waiting, closed: how the socket closed. */
  closeCode?: number;
  /** waiting: the next attempt comes after so many milliseconds. */
  retryInMs?: number;
  /** open: who is signed in. */
  identity?: Identity;
}

export interface Identity {
  user_id: string;
  wallet: string | null;
  roles: string[];
  expires_at: string | null;
}

export interface CredentialRequest {
  /** renew: the session is about to expire; the user must stay the same. */
  why: "connect" | "retry" | "renew";
  /** Why the last credential was refused. The same one again ends the client. */
  refused: string | null;
}

export interface ClientOptions {
  /**
   * The bridge's /ws, by http(s) or ws(s); in a browser relative to the page. With `?batch_ms=250`
   * the bridge sends events together, no more often than that; each is told by itself all the same.
   */
  url: string | URL;
  /**
   * Asked before each connection. null or undefined signs out; a WattmintError that is `final`
   * closes the client; any other error is retried. Without it the connection itself must be
   * authenticated.
   */
  credential?: (request: CredentialRequest) => Credential | null | undefined
    | Promise<Credential | null | undefined>;
  /** A WebSocket class, needed below Node 22: that of npm's ws. */
  WebSocket?: new (url: string, protocols: string[]) => unknown;
  /** Full jitter: wait a random part of min(cap, base * 2^attempt). Default 500 and 30000. */
  backoffBaseMs?: number;
  backoffCapMs?: number;
  /** Between two round trips. Default 10000. */
  pingIntervalMs?: number;
  /** A connection without any frame for so long is dead. Default 40000. */
  silenceMs?: number;
  /** From dialling to Authenticated. Default 15000. */
  connectTimeoutMs?: number;
  /** From 0, included, to 1, excluded. */
  random?: () => number;
}

export interface EventFilter {
  event_types?: EventName[] | null;
  meters?: string[] | null;
  min_amount?: number | null;
}

/** Where in a log a client is. Plain data: may be stored and handed to `resume` later. */
export interface Position {
  cursor: string | null;
  epoch: string | null;
  sequence: number;
}

export interface SubscribeOptions {
  /** Only for the first channels, or a filter. Default "now". */
  start?: "now" | "beginning";
  /** Instead of `start`: go on behind this position of the same channels or filter. */
  resume?: Position;
}

export interface Lag {
  /** Of the last ping. */
  roundTripMs: number | null;
  /** End of the log, of the last Heartbeat or Subscribed. */
  headSequence: number | null;
  /** Up to where all that matches was delivered, of the last Heartbeat or CaughtUp. */
  deliveredSequence: number | null;
  upstream: "connected" | "lost" | null;
  /** Last event that was seen. */
  sequence: number;
  /** Milliseconds since 1970. */
  lastFrameAt: number | null;
  lastEventAt: number | null;
  lastHeartbeatAt: number | null;
}

export interface Reading {
  meter_id: string;
  /** Exact; as text where a number would be rounded. */
  kwh_amount: number | string;
  /** RFC 3339: the start of the interval. */
  timestamp: string;
  /** Absent or 0: a point reading. */
  interval_seconds?: number;
  quality?: "actual" | "estimated" | "substituted" | "final";
  channel?: "generation" | "consumption";
  request_id?: string;
  meter_signature?: string;
  meter_counter?: number;
  telemetry?: { voltage_volts?: number; current_amperes?: number; power_watts?: number;
    frequency_hertz?: number };
}

export interface ReadingSubmitted {
  outcome: "accepted" | "exists" | "rejected";
  reading_id?: string;
  mint_state?: string;
  /** Why it was rejected: a name such as ENERGY_TOO_HIGH, and a sentence. */
  error_reason?: string;
  message?: string;
}

export interface MeterReadingReceived {
  user_id: string;
  wallet_address?: string;
  meter_id: string;
  kwh_amount: number;
  timestamp: string;
  reading_id: string;
  interval_seconds: number;
  quality: string;
  channel: "generation" | "consumption";
  mint_state: string;
}

export interface MeterReadingValidationFailed {
  user_id: string;
  wallet_address?: string;
  meter_id: string;
  kwh_amount?: number;
  error_reason: string;
  message?: string;
  timestamp?: string;
}

export interface TokensMinted {
  user_id: string;
  wallet_address: string;
  meter_id: string;
  kwh_amount: number;
  /** Base units, 10^-9 GRX. */
  tokens_minted: number;
  transaction_signature: string;
  timestamp: string;
  reading_id: string;
  task_id: string;
  batch_id: string;
  interval_start: string;
}

export interface BatchMintingCompleted {
  batch_id: string;
  total_readings: number;
  successful_mints: number;
  failed_mints: number;
  deferred_mints: number;
  duplicate_mints: number;
  timestamp: string;
}

/** `changes` is what became known; of TaskStatusChanged old_status, new_status and reason. */
export interface TaskEvent {
  task_id: string;
  job_id?: string;
  user_id: string;
  meter_id: string;
  changes: Record<string, unknown>;
  timestamp: string;
}

/** An accepted reading says something else now; `timestamp` is the reading's. */
export interface ReadingCorrected {
  user_id: string;
  wallet_address?: string;
  meter_id: string;
  kwh_amount: number;
  old_kwh_amount: number;
  timestamp: string;
  reading_id: string;
  task_id?: string;
  quality: string;
  old_quality: string;
  mint_state: string;
  reason: string;
  correction_id: string;
}

/** An accepted reading counts for nothing any more, and is never minted. */
export interface ReadingWithdrawn {
  user_id: string;
  wallet_address?: string;
  meter_id: string;
  kwh_amount: number;
  timestamp: string;
  reading_id: string;
  task_id?: string;
  reason: string;
  correction_id: string;
}

/**
 * Something for everybody. Of the log with `seq`; the bridge's own, about its core, are of the kind
 * "upstream" and have none.
 */
export interface SystemAlert {
  /** Such as "maintenance". */
  kind: string;
  severity: Severity;
  message: string;
  timestamp: string;
}

/** Something for one user. */
export interface Notification {
  user_id: string;
  level: Severity;
  message: string;
  timestamp: string;
}

export type Severity = "info" | "warning" | "critical";

/**
 * The tasks of a job as they are at `sequence`. It comes whole, once for each subscribe() that
 * names the job. Apply an event of the job only if its `seq` is greater than `sequence`.
 */
export interface JobSnapshot {
  job_id: string;
  sequence: number;
  tasks: JobTask[];
  more: false;
}

export interface JobTask {
  task_id: string;
  user_id: string;
  meter_id: string;
  reading_id: string;
  kwh_amount: number;
  /** As new_status of TaskStatusChanged. */
  status: string;
  /** Base units, 10^-9 GRX. */
  tokens_minted?: number;
  wallet_address?: string;
  transaction_signature?: string;
  reason?: string;
  created_at: string;
  updated_at: string;
}

/** An event of a core that is newer than its bridge. */
export interface Unknown {
  /** Its number in event.proto; 0: none. */
  event_type: number;
}

export interface Events {
  MeterReadingReceived: MeterReadingReceived;
  MeterReadingValidationFailed: MeterReadingValidationFailed;
  TokensMinted: TokensMinted;
  BatchMintingCompleted: BatchMintingCompleted;
  TaskCreated: TaskEvent;
  TaskUpdated: TaskEvent;
  TaskStatusChanged: TaskEvent;
  TaskFeeUpdated: TaskEvent;
  ReadingCorrected: ReadingCorrected;
  ReadingWithdrawn: ReadingWithdrawn;
  SystemAlert: SystemAlert;
  Notification: Notification;
  Unknown: Unknown;
}

export type EventName = keyof Events;

/** A fact of the log. `seq` grows; each is seen once, also across connections. */
export type EventFrame<Name extends EventName = EventName> = {
  [K in Name]: { type: K; seq: number; timestamp: string; data: Events[K] };
}[Name];

/** A message of the server that is no fact of the log, as it came. */
export interface Message<Data = Record<string, unknown>> {
  type: string;
  id?: string | number;
  timestamp: string;
  data: Data;
}

type EventListeners = { [K in EventName]: EventFrame<K> };

export interface Listeners extends Omit<EventListeners, "SystemAlert"> {
  /** Every fact, also of types that are not known here. */
  event: EventFrame;
  state: StateChange;
  /** A Heartbeat or the answer to a ping. */
  lag: Lag;
  /**
   * What follows does not continue what was seen: a new subscription (SUBSCRIBED), or a log, user
   * or filter that the cursor was not made for (its error code). Forget what was built from events.
   */
  reset: { reason: string; epoch: string };
  /** Events that the log has no longer: sequences `from` to `to`, both included. */
  gap: { from: number; to: number };
  /**
   * An Error that answers no request, a credential that could not be renewed, or a JobSnapshot that
   * a lost connection cut off and the server refuses now.
   */
  error: WattmintError;
  Connected: Message;
  Authenticated: Message<Identity>;
  Subscribed: Message;
  Unsubscribed: Message;
  JobSnapshot: Message<JobSnapshot>;
  Heartbeat: Message;
  CaughtUp: Message<{ cursor: string; sequence: number }>;
  FellBehind: Message<{ delivered_sequence: number; head_sequence: number }>;
  Draining: Message<{ reconnect_after_ms: number; cursor?: string }>;
  CredentialExpiring: Message<{ expires_at: string }>;
  RateLimitWarning: Message<{ used: number; limit: number }>;
  SystemStatus: Message;
  ReadingSubmitted: Message<ReadingSubmitted>;
  SystemAlert: EventFrame<"SystemAlert"> | Message<SystemAlert>;
}

export class WattmintError extends Error {
  constructor(code: string, message?: string,
    options?: { final?: boolean; retryAfterMs?: number; data?: Record<string, unknown> });
  /** An error code of the wire, UNREACHABLE, or CONNECTION_LOST. */
  readonly code: string;
  /** Trying again does not help: another credential is needed. */
  readonly final: boolean;
  readonly retryAfterMs?: number;
  readonly data?: Record<string, unknown>;
}

/**
 * Holds one connection to a bridge, and takes the stream up where it was whenever it is lost.
 *
 * Listeners run in the order of the frames; what they throw is reported as uncaught.
 */
export class WattmintClient {
  constructor(options: ClientOptions);
  readonly state: State;
  readonly lag: Lag;
  readonly position: Position;
  /** Events that came again and were left out; 0 unless a log had to be read from its beginning. */
  readonly duplicates: number;
  /** Returns what takes the listener away. */
  on<K extends keyof Listeners>(type: K, listener: (detail: Listeners[K]) => void): () => void;
  /** From idle or closed; after closed the stream goes on where it was. */
  connect(): void;
  /** Ends the wait of the back-off, for example when the network is back. */
  retryNow(): void;
  close(): void;
  /**
   * Adds channels, at most 20 a call, or sets the filter. Resolves when the server has acknowledged
   * it, which may be some connections later. Rejects with a WattmintError if it is refused.
   */
  subscribe(what: string | string[] | { channels: string[] } | EventFilter,
    options?: SubscribeOptions): Promise<void>;
  /** Everything unless channels are given. */
  unsubscribe(channels?: string[]): Promise<void>;
  /**
   * Submits a reading by the token or key that the session was authenticated with; a ticket cannot.
   * Resolves once it is durable, or the core refused it. One goes out after another. If it rejects
   * with CONNECTION_LOST, UPSTREAM_UNAVAILABLE, RATE_LIMIT_EXCEEDED or INTERNAL, submit the same
   * again: a reading is accepted once however often it comes. Any other code says that it was not.
   */
  submitReading(reading: Reading): Promise<ReadingSubmitted>;
  /** The round trip in milliseconds. */
  ping(): Promise<number>;
}

/** Exchanges a token or key for a one-time ticket. `url` is the bridge's /ws/ticket. */
export function fetchTicket(options: {
  url: string | URL;
  token?: string;
  apiKey?: string;
  fetch?: typeof globalThis.fetch;
}): Promise<{ ticket: string; expires_at: string }>;

/** Base units (10^-9 GRX) of any size as an exact decimal number: "1500000000" is "1.5". */
export function formatTokens(baseUnits: string | number | bigint,
  options?: { minimumFractionDigits?: number }): string;

/** `kwh_amount` of an event as exact nano-kWh, for sums. Exact up to a million kWh. */
export function nanoKwh(kwhAmount: number): bigint;

/** Whether a connection that closed with this code may be opened again. */
export function mayReconnect(closeCode: number): boolean;
