// Any text as JSON: a complaint, or CBOR that is well-formed and that says the same again as JSON.
#include "host/event/json.hpp"
#include "nexus/cbor.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace nexus::host;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = nexus::fuzz::as_text({data, size});
  const auto cbor = json_to_cbor(input);
  FUZZ_CHECK(check_json(input).has_value() == cbor.has_value());
  if (!cbor) {
    FUZZ_CHECK(cbor.error().code == NEXUS_E_JSON);
    FUZZ_CHECK(cbor.error().message.size() < 400);
    return 0;
  }
  FUZZ_CHECK(nexus::cbor::check(*cbor));
  const auto json = cbor_to_json(*cbor);
  FUZZ_CHECK(json.has_value());
  const auto again = json_to_cbor(*json);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(*again == *cbor);
  return 0;
}
