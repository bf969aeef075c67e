// Any bytes as CBOR: what the check lets through can be walked, decoded and turned into JSON; what it refuses cannot.
#include "host/event/json.hpp"
#include "nexus/cbor.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace cbor = nexus::cbor;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input(data, size);
  cbor::Error fault;
  const bool good = cbor::check(input, fault);
  FUZZ_CHECK(good == !fault);
  FUZZ_CHECK(fault.offset <= size);

  const auto json = nexus::host::cbor_to_json(input);
  if (!good) FUZZ_CHECK(!json.has_value());
  if (json) {
    FUZZ_CHECK(cbor::is_utf8(*json));
    // A key may stand twice in CBOR; all else that is JSON here must be JSON on the way back.
    const auto back = nexus::host::json_to_cbor(*json);
    if (back) {
      FUZZ_CHECK(cbor::check(*back));
      FUZZ_CHECK(*nexus::host::cbor_to_json(*back) == *json);
    }
  } else {
    FUZZ_CHECK(json.error().code == NEXUS_E_CBOR);
  }

  cbor::Value value;
  cbor::Error value_fault;
  if (cbor::Value::try_decode(input, value, value_fault)) {
    // A value drops tags, and so takes a longer row of them than the check, which counts each as a level.
    FUZZ_CHECK(good || fault.fault == cbor::Fault::depth);
    const nexus::Bytes again = value.encode();
    cbor::Value same;
    FUZZ_CHECK(cbor::Value::try_decode(again, same, value_fault));
    FUZZ_CHECK(same.encode() == again);
  }
  return 0;
}
