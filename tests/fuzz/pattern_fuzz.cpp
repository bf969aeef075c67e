// A pattern and a type, parted by a line break: read, explained and matched, by the host and by the SDK alike.
#include "host/event/name.hpp"
#include "host/event/pattern.hpp"
#include "nexus/pattern.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nexus::host;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = nexus::fuzz::as_text({data, size});
  const size_t cut = input.find('\n');
  const std::string_view text = input.substr(0, cut);
  const std::string_view type = cut == std::string_view::npos ? std::string_view() : input.substr(cut + 1);

  const auto pattern = Pattern::parse(text);
  FUZZ_CHECK(pattern.has_value() == nexus::is_pattern(text));
  const bool type_is_valid = is_valid_type(type);
  FUZZ_CHECK(type_is_valid == nexus::is_type_name(type));
  FUZZ_CHECK(type_is_valid == check_type(type).has_value());
  if (!pattern) {
    FUZZ_CHECK(pattern.error().code == NEXUS_E_PATTERN);
    return 0;
  }
  FUZZ_CHECK(!pattern->explain().empty());
  const bool matched = pattern->matches(type);
  if (type_is_valid) {
    FUZZ_CHECK(matched == nexus::pattern_matches(text, type));
    FUZZ_CHECK(matched || !pattern->is_all());
    if (pattern->is_exact()) FUZZ_CHECK(matched == (text == type));
  }
  return 0;
}
