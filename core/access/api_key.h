// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/random.h"
#include "core/base/sha256.h"

#include <optional>
#include <string>
#include <string_view>

namespace wattmint::access {

// An API key is the text
//   wm_<key id>_<secret>
// with a key id of 8 base58 characters, which may be shown and stored, and a secret of 32 random
// bytes in base58, which exists only with its holder: what is stored is the SHA-256 of the whole
// text. (A slow hash would buy nothing: 256 random bits cannot be guessed.)

struct NewApiKey {
  std::string key_id;
  std::string text;  // for its holder, once
  base::Sha256Digest sha256{};
};

NewApiKey MakeApiKey(base::RandomSource& random);

// Whether the text is meant to be an API key, well formed or not.
bool LooksLikeApiKey(std::string_view text);

// The key id of a text that has the form of an API key, as a part of it.
std::optional<std::string_view> KeyIdOf(std::string_view text);

}  // namespace wattmint::access
