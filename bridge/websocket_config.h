// SPDX-License-Identifier: Apache-2.0
#pragma once

// A part of websocket_server.cc, which alone includes it: what websocketpp is built with, and where
// that is stricter than websocketpp.

#include "bridge/http_text.h"
#include "bridge/websocket_compression.h"
#include "bridge/websocket_tls.h"
#include "bridge/websocket_transport.h"

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace wattmint::bridge::impl {

// Refuses what asks for a WebSocket but not as RFC 6455 (4.2.1) wants it. Without this, a version
// that is absent means a draft of 2010, and "Upgrade: no-websocket" is good enough.
class Request : public websocketpp::http::parser::request {
 public:
  // Called with what has come. Throws what websocketpp turns into a Response.
  std::size_t consume(const char* bytes, std::size_t size) {
    const std::size_t consumed = websocketpp::http::parser::request::consume(bytes, size);
    if (ready() && websocketpp::processor::is_websocket_handshake(*this)) Check();
    return consumed;
  }

  // websocketpp keeps it as long as the connection: a kilobyte, and credentials.
  void ForgetHeaders() { m_headers.clear(); }

 private:
  static void Refuse(websocketpp::http::status_code::value status) {
    throw websocketpp::http::exception("", status);
  }

  void Check() const {
    namespace status = websocketpp::http::status_code;
    if (get_method() != "GET" || get_version() != "HTTP/1.1") Refuse(status::bad_request);
    const bool is_meant = HasToken(get_header("Upgrade"), "websocket") &&
                          HasToken(get_header("Connection"), "upgrade");
    const bool is_spoken = get_header("Sec-WebSocket-Version") == "13";
    if (!is_meant || !is_spoken) Refuse(status::upgrade_required);
    if (!IsWebSocketKey(get_header("Sec-WebSocket-Key"))) Refuse(status::bad_request);
  }
};

// As websocketpp's, but its refusals are like ours.
class Response : public websocketpp::http::parser::response {
 public:
  std::string raw() const {
    if (get_status_code() == websocketpp::http::status_code::switching_protocols) {
      return websocketpp::http::parser::response::raw();
    }
    return RenderResponse(RefusalOf(get_status_code()));
  }
};

template <typename Config>
struct TransportEndpoint : websocketpp::transport::asio::endpoint<Config> {
  using transport_con_type = Transport<Config>;
  using transport_con_ptr = typename transport_con_type::ptr;
};

// websocketpp without locks and loggers (its access log prints credentials of query strings), with
// small buffers.
struct Config : websocketpp::config::asio {
  using type = Config;
  using concurrency_type = websocketpp::concurrency::none;
  using alog_type = websocketpp::log::stub;
  using elog_type = websocketpp::log::stub;
  using request_type = Request;
  using response_type = Response;
  using connection_base = ConnectionTerms;
  using permessage_deflate_type = CompressedPassage;
  struct transport_config : websocketpp::config::asio::transport_config {
    using concurrency_type = type::concurrency_type;
    using alog_type = type::alog_type;
    using elog_type = type::elog_type;
    using request_type = type::request_type;
    using response_type = type::response_type;
    using socket_type = TlsSockets;
    static const bool enable_multithreading = false;
    static const long timeout_socket_post_init = 0;
  };
  using transport_type = TransportEndpoint<transport_config>;
  static const bool enable_multithreading = false;
  static const bool enable_extensions = false;  // websocketpp's own negotiation
  static const std::size_t connection_read_buffer_size = 512;
};

class Processor final : public websocketpp::processor::hybi13<Config> {
 public:
  // `terms` must outlive it.
  Processor(bool is_secure, msg_manager_ptr messages, rng_type& random,
            const ConnectionTerms& terms)
      : hybi13(is_secure, true, std::move(messages), random) {
    m_permessage_deflate.Follow(terms);
  }
};

}  // namespace wattmint::bridge::impl

namespace websocketpp::processor {

// websocketpp's own takes a length whose highest bit is set, so that the sum with what a message
// has already wraps around; and it closes with 1011 for a length that is not in its shortest form.
// It lets any part of a message say that the message is compressed, where only the first may.
template <>
inline std::error_code hybi13<wattmint::bridge::impl::Config>::validate_incoming_extended_header(
    frame::basic_header basic, frame::extended_header extended) const {
  const std::uint8_t code = frame::get_basic_size(basic);
  const std::uint64_t size = frame::get_payload_size(basic, extended);
  const bool is_longer_than_needed =
      (code == frame::payload_size_code_16bit && size <= frame::limits::payload_size_basic) ||
      (code == frame::payload_size_code_64bit && size <= frame::limits::payload_size_extended);
  const bool is_misplaced =
      frame::get_rsv1(basic) && frame::get_opcode(basic) == frame::opcode::continuation;
  const bool is_valid = !is_longer_than_needed && !is_misplaced && size >> 63 == 0;
  return is_valid ? std::error_code() : make_error_code(error::protocol_violation);
}

// websocketpp's own asks whether what is compressed is UTF-8.
template <>
inline std::size_t hybi13<wattmint::bridge::impl::Config>::process_payload_bytes(
    std::uint8_t* bytes, std::size_t size, std::error_code& error) {
  m_current_msg->prepared_key = frame::byte_mask_circ(bytes, size, m_current_msg->prepared_key);
  const message_type& message = *m_current_msg->msg_ptr;
  std::string& payload = m_current_msg->msg_ptr->get_raw_payload();
  const auto before = static_cast<std::ptrdiff_t>(payload.size());
  payload.append(reinterpret_cast<const char*>(bytes), size);
  const bool is_text = message.get_opcode() == frame::opcode::text && !message.get_compressed();
  if (is_text && !m_current_msg->validator.decode(payload.begin() + before, payload.end())) {
    error = make_error_code(error::invalid_utf8);
    return 0;
  }
  m_bytes_needed -= size;
  return size;
}

}  // namespace websocketpp::processor

namespace websocketpp {

// For every version: Request has refused all but one.
template <>
inline connection<wattmint::bridge::impl::Config>::processor_ptr
connection<wattmint::bridge::impl::Config>::get_processor(int) const {
  const auto made = std::make_shared<wattmint::bridge::impl::Processor>(
      transport_con_type::is_secure(), m_msg_manager, std::ref(m_rng), *this);
  made->set_max_message_size(m_max_message_size);
  return made;
}

// websocketpp's own says close again, with another timer, for each bad close frame that comes while
// it is closing: memory without bound, and a timer that keeps the event loop from ending.
template <>
inline std::error_code connection<wattmint::bridge::impl::Config>::send_close_ack(
    close::status::value code, std::string const& reason) {
  if (m_state == session::state::open) return send_close_frame(code, reason, true, m_is_server);
  terminate(std::error_code());
  return {};
}

}  // namespace websocketpp
