// SPDX-License-Identifier: Apache-2.0
#include "bridge/http_text.h"

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
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
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

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(ToAbsl(key), ToAbsl(name))) return value;
  }
  return {};
}

SharedFrame FrameText(std::string_view text) {
  std::string frame(1, '\x81');  // final fragment, text
  const auto append_length = [&frame, size = text.size()](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) frame.push_back(static_cast<char>(size >> (8 * i) & 0xff));
  };
  if (text.size() < 126) {
    append_length(1);
  } else if (text.size() <= 0xffff) {
    frame.push_back(126);
    append_length(2);
  } else {
    frame.push_back(127);
    append_length(8);
  }
  frame.append(text);
  return std::make_shared<const std::string>(std::move(frame));
}

std::string RenderResponse(const HttpResponse& response) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text.append(Reason(response.status)).append("\r\nContent-Type: ").append(response.content_type);
  text.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
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

std::string PickSubprotocol(std::string_view offered, const std::vector<std::string>& spoken) {
  const std::vector<std::string_view> names = SplitTrimmed(offered, ',');
  for (const std::string& name : spoken) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
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
