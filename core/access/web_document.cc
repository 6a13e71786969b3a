// SPDX-License-Identifier: Apache-2.0
#include "core/access/web_document.h"

#include "core/base/status.h"
#include "core/base/status_macros.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wattmint::access {
namespace {

constexpr long kStatusOk = 200;

struct CurlFree {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(char* text) const { curl_free(text); }
};
template <typename T>
using CurlPtr = std::unique_ptr<T, CurlFree>;

// What the callbacks of one fetch share.
struct Fetch {
  const FetchOptions& options;
  const std::function<bool()>& is_cancelled;
  std::string document;
  bool is_too_large = false;
  bool is_far = false;  // plain HTTP to somewhere else than loopback
};

absl::StatusOr<std::string> PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const CURLUcode code = curl_url_get(url, part, &text, 0);
  const CurlPtr<char> owner(text);
  if (code == CURLUE_OK) return std::string(text);
  return base::NotFound("{}", curl_url_strerror(code));
}

// The scheme of an address that may be fetched. The message never repeats the address, which may
// hold what somebody took for a good place for a password.
absl::StatusOr<std::string> SchemeOf(const std::string& address) {
  const CurlPtr<CURLU> url(curl_url());
  if (url == nullptr) return base::ResourceExhausted("no memory for an address");
  if (curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) {
    return base::InvalidArgument("this is no address");
  }
  WATTMINT_ASSIGN_OR_RETURN(std::string scheme, PartOf(url.get(), CURLUPART_SCHEME));
  if (scheme != "https" && scheme != "http") {
    return base::InvalidArgument("the address must begin with https://");
  }
  for (const CURLUPart part : {CURLUPART_USER, CURLUPART_PASSWORD}) {
    if (PartOf(url.get(), part).ok()) {
      return base::InvalidArgument("the address must hold no user and no password");
    }
  }
  return scheme;
}

std::size_t OnBytes(char* bytes, std::size_t size, std::size_t count, void* pointer) {
  Fetch& fetch = *static_cast<Fetch*>(pointer);
  const std::size_t length = size * count;
  fetch.is_too_large = fetch.document.size() + length > fetch.options.bytes_max;
  if (fetch.is_too_large) return 0;
  fetch.document.append(bytes, length);
  return length;
}

int OnProgress(void* pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Fetch*>(pointer)->is_cancelled() ? 1 : 0;
}

bool IsLoopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (address.sa_family != AF_INET6) return false;
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

// By the address that is connected to: what a name stands for is up to others.
curl_socket_t OpenNearSocket(void* pointer, curlsocktype, curl_sockaddr* address) {
  if (IsLoopback(address->addr)) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }
  static_cast<Fetch*>(pointer)->is_far = true;
  return CURL_SOCKET_BAD;
}

void Prepare(CURL* curl, const std::string& address, const std::string& scheme,
             const curl_slist* headers, Fetch& fetch) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(fetch.options.timeout).count();
  curl_easy_setopt(curl, CURLOPT_URL, address.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, scheme.c_str());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "wattmint");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &fetch);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &fetch);
  if (!fetch.options.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, fetch.options.ca_file.c_str());
  }
  if (scheme == "https") return;
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OpenNearSocket);
  curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &fetch);
}

absl::Status Explain(CURLcode code, const Fetch& fetch) {
  if (fetch.is_far) return base::Unavailable("http:// is for loopback alone; use https://");
  if (fetch.is_too_large) {
    return base::Unavailable("the answer is larger than {} bytes", fetch.options.bytes_max);
  }
  return base::Unavailable("{}", curl_easy_strerror(code));
}

}  // namespace

bool IsWebAddress(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

absl::Status CheckWebAddress(const std::string& address) { return SchemeOf(address).status(); }

absl::StatusOr<std::string> FetchDocument(const std::string& address, const FetchOptions& options,
                                          const std::function<bool()>& is_cancelled) {
  static std::once_flag initialized;
  std::call_once(initialized, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  WATTMINT_ASSIGN_OR_RETURN(const std::string scheme, SchemeOf(address));
  const CurlPtr<CURL> curl(curl_easy_init());
  const CurlPtr<curl_slist> headers(curl_slist_append(nullptr, "Accept: application/json"));
  if (curl == nullptr || headers == nullptr) return base::ResourceExhausted("no memory to fetch");
  Fetch fetch{.options = options, .is_cancelled = is_cancelled, .document = {}};
  Prepare(curl.get(), address, scheme, headers.get(), fetch);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return Explain(code, fetch);
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != kStatusOk) return base::Unavailable("the server answered {}", status);
  return std::move(fetch.document);
}

}  // namespace wattmint::access
