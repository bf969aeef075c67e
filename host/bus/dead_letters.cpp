#include "host/bus/dead_letters.hpp"

#include <algorithm>
#include <unordered_map>

namespace nexus::host {
namespace {

constexpr std::array<std::string_view, kDeadLetterReasons> kReasonNames = {"attempts", "rejected", "expired",
                                                                           "overflow", "crash",    "loop"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// FNV-1a, 64 bits: short, and the same everywhere.
class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<uint8_t>(c));
  }
  // Between parts, so that what ends one does not begin the next.
  void end_part() { add_byte(0xff); }
  std::string hex() const {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text(16, '0');
    for (size_t i = 0; i < 16; ++i) text[i] = kDigits[value_ >> (60 - 4 * i) & 15u];
    return text;
  }

 private:
  void add_byte(uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3u; }
  uint64_t value_ = 0xcbf29ce484222325u;
};

void add_without_numbers(Hash& hash, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_word);
    const std::string_view word = text.substr(0, static_cast<size_t>(end - text.begin()));
    if (word.empty()) {
      hash.add(text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    hash.add(std::any_of(word.begin(), word.end(), is_digit) ? std::string_view("#") : word);
    text.remove_prefix(word.size());
  }
}

}  // namespace

std::string_view reason_name(DeadLetterReason reason) { return kReasonNames[static_cast<size_t>(reason)]; }

std::optional<DeadLetterReason> parse_reason(std::string_view name) {
  const auto at = std::find(kReasonNames.begin(), kReasonNames.end(), name);
  if (at == kReasonNames.end()) return {};
  return static_cast<DeadLetterReason>(at - kReasonNames.begin());
}

std::string fingerprint_of(std::string_view plugin_id, std::string_view subscription, std::string_view event_type,
                           std::string_view error_type, std::string_view error_message) {
  Hash hash;
  for (const std::string_view part : {plugin_id, subscription, event_type, error_type}) {
    hash.add(part);
    hash.end_part();
  }
  add_without_numbers(hash, error_message);
  return hash.hex();
}

bool DeadLetterFilter::matches(const DeadLetter& letter) const {
  return letter.id > after_id && letter.id <= last_id && (!id || *id == letter.id) &&
         (!fingerprint || *fingerprint == letter.fingerprint) && (!plugin || *plugin == letter.plugin_id) &&
         (!reason || *reason == letter.reason) && (!type || type->matches(to_view(letter.event.event().type)));
}

// ---- In memory ----------------------------------------------------------------------------------------------------

bool MemoryDeadLetters::make_room(std::vector<DeadLetterPointer>* dropped) {
  if (rows_.size() + taken_.size() < limits_.letters_max) return true;
  std::erase_if(taken_, [](const auto& taken) { return taken.second.expired(); });
  while (rows_.size() + taken_.size() >= limits_.letters_max) {
    ++totals_.dropped;
    if (limits_.drop_new || rows_.empty()) return false;
    dropped->push_back(extract(by_arrival_.begin()->second));
  }
  return true;
}

void MemoryDeadLetters::insert(uint64_t id, DeadLetterPointer letter) {
  taken_.erase(id);
  by_arrival_.emplace(next_arrival_, id);
  rows_.emplace(id, Row{std::move(letter), next_arrival_++});
}

DeadLetterPointer MemoryDeadLetters::extract(uint64_t id) {
  const auto at = rows_.find(id);
  if (at == rows_.end()) return nullptr;
  DeadLetterPointer letter = std::move(at->second.letter);
  by_arrival_.erase(at->second.arrival);
  rows_.erase(at);
  return letter;
}

uint64_t MemoryDeadLetters::put(DeadLetter letter, std::vector<DeadLetterPointer>* dropped) {
  std::lock_guard guard(mutex_);
  ++totals_.given_up[static_cast<size_t>(letter.reason)];
  if (letter.id == 0) {
    if (!make_room(dropped)) return 0;
    letter.id = next_id_++;
  }
  const uint64_t id = letter.id;
  insert(id, std::make_shared<const DeadLetter>(std::move(letter)));
  return id;
}

void MemoryDeadLetters::restore(const DeadLetterPointer& letter) {
  std::lock_guard guard(mutex_);
  insert(letter->id, letter);
}

DeadLetterPointer MemoryDeadLetters::find(uint64_t id) const {
  std::lock_guard guard(mutex_);
  const auto at = rows_.find(id);
  return at == rows_.end() ? nullptr : at->second.letter;
}

// Until `visit` says false.
template <class Visit>
void MemoryDeadLetters::each_match(const DeadLetterFilter& filter, Visit visit) const {
  std::lock_guard guard(mutex_);
  for (auto at = rows_.upper_bound(filter.after_id); at != rows_.end() && at->first <= filter.last_id; ++at)
    if (filter.matches(*at->second.letter) && !visit(at->second.letter)) return;
}

std::vector<DeadLetterPointer> MemoryDeadLetters::list(const DeadLetterFilter& filter, uint64_t limit,
                                                       uint64_t offset) const {
  std::vector<DeadLetterPointer> found;
  each_match(filter, [&](const DeadLetterPointer& letter) {
    if (found.size() >= limit) return false;
    if (offset == 0)
      found.push_back(letter);
    else
      --offset;
    return true;
  });
  return found;
}

std::vector<DeadLetterGroup> MemoryDeadLetters::groups(const DeadLetterFilter& filter) const {
  std::unordered_map<std::string_view, size_t> places;
  std::vector<DeadLetterGroup> groups;
  each_match(filter, [&](const DeadLetterPointer& letter) {
    const auto [at, is_new] = places.try_emplace(letter->fingerprint, groups.size());
    if (is_new) groups.push_back({letter->fingerprint, 0, letter->first_unix_ns, letter->last_unix_ns, letter});
    DeadLetterGroup& group = groups[at->second];
    ++group.count;
    group.first_unix_ns = std::min(group.first_unix_ns, letter->first_unix_ns);
    if (letter->last_unix_ns >= group.last_unix_ns) {
      group.last_unix_ns = letter->last_unix_ns;
      group.latest = letter;
    }
    return true;
  });
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return groups;
}

uint64_t MemoryDeadLetters::count(const DeadLetterFilter& filter) const {
  uint64_t count = 0;
  each_match(filter, [&](const DeadLetterPointer&) { return ++count != 0; });
  return count;
}

uint64_t MemoryDeadLetters::last_id() const {
  std::lock_guard guard(mutex_);
  return next_id_ - 1;
}

DeadLetterPointer MemoryDeadLetters::take(uint64_t id) {
  std::lock_guard guard(mutex_);
  DeadLetterPointer letter = extract(id);
  if (letter != nullptr) taken_.insert_or_assign(id, letter);
  return letter;
}

bool MemoryDeadLetters::remove(uint64_t id) {
  DeadLetterPointer gone;
  std::lock_guard guard(mutex_);
  gone = extract(id);
  if (gone != nullptr) ++totals_.removed;
  return gone != nullptr;
}

DeadLetterTotals MemoryDeadLetters::totals() const {
  std::lock_guard guard(mutex_);
  DeadLetterTotals totals = totals_;
  totals.held = rows_.size();
  return totals;
}

}  // namespace nexus::host
