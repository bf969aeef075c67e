#include "host/event/base64.hpp"

#include <rapidcheck.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using namespace nexus::host;
using Bytes = std::vector<uint8_t>;

namespace {

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

std::string base64(const Bytes& bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

}  // namespace

TEST_CASE("the test vectors of RFC 4648 section 10") {
  const char* const vectors[][2] = {{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64(bytes_of(plain)) == text);
    CHECK(decode_base64(text) == bytes_of(plain));
    std::string url;
    append_base64url(url, bytes_of(plain));
    CHECK(url == std::string(text).substr(0, std::string_view(text).find('=')));
  }
  std::string hex;
  append_base16(hex, bytes_of("foobar\xFF"));
  CHECK(hex == "666f6f626172ff");
}

TEST_CASE("base64url has letters of its own") {
  std::string plain;
  std::string url;
  append_base64(plain, Bytes{0xFB, 0xFF, 0xBF});
  append_base64url(url, Bytes{0xFB, 0xFF, 0xBF});
  CHECK(plain == "+/+/");
  CHECK(url == "-_-_");
}

TEST_CASE("text that is not base64 is refused") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", " Zm9",
                           "Zm9v Zg==", "Z-_v", "Zg==Zg==", "\xFF\xFF\xFF\xFF", "=Zm9"}) {
    INFO(text);
    CHECK_FALSE(decode_base64(text).has_value());
  }
}

TEST_CASE("all bytes come back, and no two texts mean the same") {
  CHECK(rc::check([](const Bytes& bytes) {
    const std::string text = base64(bytes);
    RC_ASSERT(text.size() % 4 == 0u);
    RC_ASSERT(decode_base64(text) == bytes);
  }));
  CHECK(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ABZaz09+/==")));
    const auto bytes = decode_base64(text);
    if (bytes) RC_ASSERT(base64(*bytes) == text);
  }));
}
