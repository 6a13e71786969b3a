// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>

namespace wattmint::bridge {
namespace {

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// `first`: the final fragment of a message, and its opcode. Source: RFC 6455, section 5.2.
SharedFrame Frame(char first, std::string_view payload) {
  std::string frame(1, first);
  const auto append_length = [&frame, size = payload.size()](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(size >> (8 * i) & 0xff));
  };
  if (payload.size() < 126) {
    append_length(1);
  } else if (payload.size() <= 0xffff) {
    frame.push_back(126);
    append_length(2);
  } else {
    frame.push_back(127);
    append_length(8);
  }
  frame.append(payload);
  return std::make_shared<const std::string>(std::move(frame));
}

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(ToAbsl(key), ToAbsl(name))) return value;
  }
  return {};
}

SharedFrame FrameText(std::string_view text) { return Frame('\x81', text); }

SharedFrame FrameBinary(std::string_view bytes) { return Frame('\x82', bytes); }

SharedFrame FramePong(std::string_view payload) { return Frame('\x8a', payload); }

std::string RenderResponse(const HttpResponse& response) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text.append(Reason(response.status)).append("\r\nContent-Type: ").append(response.content_type);
  const std::size_t size = response.body.size() + response.lasting_body.size();
  text.append("\r\nContent-Length: ").append(std::to_string(size));
  text.append("\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n");
  for (const auto& [name, value] : response.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  return text.append("\r\n").append(response.body);
}

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view error) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = R"({"code":")";
  response.body.append(code).append(R"(","error":")").append(error).append("\"}");
  return response;
}

HttpResponse RetryResponse(int status, std::string_view code, std::string_view error, int seconds) {
  HttpResponse response = ErrorResponse(status, code, error);
  response.headers.emplace_back("Retry-After", std::to_string(seconds));
  return response;
}

HttpResponse RefusalOf(int status) {
  switch (status) {
    case 400:
      return ErrorResponse(400, "BAD_REQUEST", "the request is not well-formed");
    case 413:
      return ErrorResponse(413, "BODY_TOO_LARGE", "the body is too large");
    case 426: {
      HttpResponse response =
          ErrorResponse(426, "UPGRADE_REQUIRED", "this path is for WebSockets of version 13");
      response.headers.emplace_back("Upgrade", "websocket");
      response.headers.emplace_back("Sec-WebSocket-Version", "13");
      return response;
    }
    case 431:
      return ErrorResponse(431, "HEADERS_TOO_LARGE", "the headers are too large");
    default:
      return ErrorResponse(500, "INTERNAL", "internal error");
  }
}

bool HasToken(std::string_view list, std::string_view token) {
  const std::vector<std::string_view> elements = SplitTrimmed(list, ',');
  return std::any_of(elements.begin(), elements.end(), [token](std::string_view element) {
    return absl::EqualsIgnoreCase(ToAbsl(element), ToAbsl(token));
  });
}

bool IsWebSocketKey(std::string_view text) {
  constexpr std::string_view kPadding = "==";
  constexpr std::size_t kDigits = 22;
  return text.size() == kDigits + kPadding.size() && text.substr(kDigits) == kPadding &&
         std::all_of(text.begin(), text.begin() + kDigits, [](char digit) {
           return absl::ascii_isalnum(static_cast<unsigned char>(digit)) || digit == '+' ||
                  digit == '/';
         });
}

std::string PickSubprotocol(std::string_view offered, const std::vector<std::string>& spoken) {
  for (const std::string_view name : SplitTrimmed(offered, ',')) {
    if (std::find(spoken.begin(), spoken.end(), name) != spoken.end()) return std::string(name);
  }
  return "";
}

std::vector<std::string_view> SplitTrimmed(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (const std::string_view part = Trim(text.substr(0, end)); !part.empty()) {
      parts.push_back(part);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace wattmint::bridge
