#include "host/base/secret.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace nexus::host {
namespace {

constexpr std::size_t kSecretSizeMin = 4;

using Values = std::vector<std::string>;  // longest first

struct Registry {
  std::atomic<bool> any{false};
  std::mutex mutex;
  std::shared_ptr<const Values> values = std::make_shared<Values>();  // guarded by mutex; the vector never changes
};

Registry& registry() {
  // Leaked on purpose: lines are written until the very end of the process.
  static auto* const instance = new Registry;
  return *instance;
}

std::shared_ptr<const Values> snapshot() {
  Registry& all = registry();
  if (!all.any.load(std::memory_order_acquire)) return nullptr;
  const std::lock_guard lock(all.mutex);
  return all.values;
}

std::string normalised(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

}  // namespace

void register_secret(std::string_view value) {
  if (value.size() < kSecretSizeMin) return;
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  if (std::find(all.values->begin(), all.values->end(), value) != all.values->end()) return;
  auto next = std::make_shared<Values>(*all.values);
  next->emplace_back(value);
  std::stable_sort(next->begin(), next->end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  all.values = std::move(next);
  all.any.store(true, std::memory_order_release);
}

void forget_secrets() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.any.store(false, std::memory_order_release);
  all.values = std::make_shared<Values>();
}

bool holds_secret(std::string_view text) {
  const auto values = snapshot();
  return values && std::any_of(values->begin(), values->end(),
                               [&](const auto& value) { return text.find(value) != std::string_view::npos; });
}

std::string redact(std::string_view text) {
  std::string out(text);
  const auto values = snapshot();
  if (!values) return out;
  for (const auto& value : *values) {
    for (auto at = out.find(value); at != std::string::npos; at = out.find(value, at + kSecretMark.size())) {
      out.replace(at, value.size(), kSecretMark);
    }
  }
  return out;
}

bool is_secret_name(std::string_view name) {
  static constexpr std::string_view kWords[] = {
      "password",  "passwd",     "passphrase", "pasword",    "passwort",   "secret", "token",         "apikey",
      "accesskey", "privatekey", "secretkey",  "credential", "signingkey", "dsn",    "authorization", "cookie"};
  const std::string plain = normalised(name);
  if (plain == "pwd" || plain == "pw" || plain == "pass" || plain == "pin") return true;
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return plain.find(word) != std::string::npos; });
}

std::string_view password_of_url(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    const auto rest = url.substr(scheme + 3);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    const auto at = authority.rfind('@');
    if (at != std::string_view::npos) {
      const auto user = authority.substr(0, at);
      const auto colon = user.find(':');
      if (colon != std::string_view::npos) return user.substr(colon + 1);
    }
  }
  constexpr std::string_view kKey = "password=";
  const auto found = url.find(kKey);
  if (found == std::string_view::npos) return {};
  const auto rest = url.substr(found + kKey.size());
  if (!rest.empty() && rest.front() == '\'') return rest.substr(1, rest.substr(1).find('\''));
  return rest.substr(0, rest.find_first_of(" &"));
}

}  // namespace nexus::host
