// SPDX-License-Identifier: Apache-2.0
#pragma once

// Of OpenSSL.
struct ssl_st;

namespace wattmint::door {

// Has `session` read and write `fd`, which stays the caller's. As SSL_set_fd(), but to write where
// nobody reads any more is an error and no SIGPIPE.
void UseSocket(ssl_st* session, int fd);

}  // namespace wattmint::door
