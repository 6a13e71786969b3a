// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/assert.h"
#include "core/base/base58.h"
#include "core/base/unix_socket.h"
#include "core/ledger/key_signer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

namespace wattmint::test {

// The signer's end of one connection, for a script that behaves well or badly. It blocks.
class SignerPeer {
 public:
  explicit SignerPeer(base::UniqueFd fd) : fd_(std::move(fd)) {}

  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return;
      bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    }
  }
  // The next line, or as much as came before the core closed.
  std::string ReadLine() {
    std::string line;
    for (char c = 0; c != '\n' && Read(c);) line += c;
    return line;
  }
  // The text of the next request; empty once the core closed.
  std::string ReadText() {
    const std::string line = ReadLine();
    std::string text(line.empty() ? 0 : std::strtoul(&line[line.rfind(' ')], nullptr, 10), '\0');
    for (char& c : text) Read(c);
    return text;
  }
  void Greet(const ledger::Signer& signer) {
    WATTMINT_ASSERT(ReadLine() == "wattmint signer 1\n", "the core did not say what it speaks");
    Write("key " + base::EncodeBase58(signer.public_key()) + "\n");
  }
  // Signs the next `count` requests as it should.
  void Sign(ledger::Signer& signer, int count) {
    for (int i = 0; i < count; ++i) {
      const auto signatures = signer.Sign(std::vector{ReadText()});
      Write(fmt::format("signed {} {}\n", ++answered_, base::EncodeBase58(*signatures.front())));
    }
  }
  void WaitUntilClosed() {
    for (char ignored = 0; Read(ignored);) {
    }
  }

 private:
  bool Read(char& c) {
    while (true) {
      pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      poll(&entry, 1, -1);
      const ssize_t got = recv(fd_.get(), &c, 1, 0);
      if (got >= 0 || errno != EAGAIN) return got == 1;
    }
  }

  base::UniqueFd fd_;
  int answered_ = 0;
};

// Listens at a socket and plays one script for each connection, each on a thread of its own; after
// the last one came nobody listens any more.
class ScriptedSigner {
 public:
  using Script = std::function<void(SignerPeer&)>;

  ScriptedSigner(const std::filesystem::path& socket, std::vector<Script> scripts)
      : scripts_(std::move(scripts)) {
    auto listener = base::ListenUnix(socket, 0600);
    WATTMINT_ASSERT(listener.ok(), "{}", listener.status().ToString());
    thread_ = std::thread([this, fd = *std::move(listener)]() mutable { Play(std::move(fd)); });
  }
  // Every script must have been played to its end.
  ~ScriptedSigner() {
    thread_.join();
    for (std::thread& player : players_) player.join();
  }
  ScriptedSigner(const ScriptedSigner&) = delete;
  ScriptedSigner& operator=(const ScriptedSigner&) = delete;

 private:
  void Play(base::UniqueFd listener) {
    while (players_.size() < scripts_.size()) {
      pollfd entry{.fd = listener.get(), .events = POLLIN, .revents = 0};
      poll(&entry, 1, -1);
      auto accepted = base::AcceptUnix(listener);
      WATTMINT_ASSERT(accepted.ok() && accepted->has_value(), "nobody came");
      if (players_.size() + 1 == scripts_.size()) listener = base::UniqueFd();
      players_.emplace_back(
          [&script = scripts_[players_.size()], fd = **std::move(accepted)]() mutable {
            SignerPeer peer(std::move(fd));
            script(peer);
          });
    }
  }

  const std::vector<Script> scripts_;
  std::vector<std::thread> players_;
  std::thread thread_;
};

}  // namespace wattmint::test
