// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check/witness.h"

namespace wattmint::check {

// A client that keeps a stream, connects again when it was lost, and tells its witness everything
// that it received, also what a client that is not a check would drop.
//
// Threads: all functions from one, the witness is told from others.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  virtual void Start() = 0;
  virtual void Stop() = 0;
  // Ends the connection without a word, and goes on from that place on another.
  virtual void Cut(Witness::Place place) = 0;
  virtual Witness& witness() = 0;
};

}  // namespace wattmint::check
