#include "host/control/frame.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include "tests/host/control/result_text.hpp"

using namespace nexus;
using namespace nexus::host;

namespace {

std::vector<uint8_t> frame_of(const cbor::Value& value) {
  const Bytes body = value.encode();
  cbor::Buffer out;
  const size_t begin = begin_frame(out);
  out.append(body.data(), body.size());
  end_frame(out, begin);
  return {out.data(), out.data() + out.size()};
}

Error error_of(const cbor::Value& value) {
  const Bytes body = value.encode();
  ClientFrame frame;
  const auto read = read_client_frame(body, frame);
  REQUIRE_FALSE(read);
  return read.error();
}

}  // namespace

TEST_CASE("frames come out whole, however they arrive") {
  const auto first = frame_of({{"id", 1}, {"method", "stat"}});
  const auto second = frame_of({{"id", 2}, {"method", "host.info"}, {"params", cbor::Value::map()}});
  std::vector<uint8_t> all = first;
  all.insert(all.end(), second.begin(), second.end());
  for (const size_t step : {size_t{1}, size_t{3}, all.size()}) {
    FrameBuffer buffer;
    std::vector<std::string> methods;
    for (size_t at = 0; at < all.size(); at += step) {
      buffer.append(std::span(all).subspan(at, std::min(step, all.size() - at)));
      for (;;) {
        auto next = buffer.next();
        REQUIRE(next);
        if (!next.value()) break;
        ClientFrame frame;
        REQUIRE(read_client_frame(*next.value(), frame));
        CHECK(frame.id == methods.size() + 1);
        methods.emplace_back(frame.method);
      }
    }
    CHECK(methods == std::vector<std::string>{"stat", "host.info"});
    CHECK(buffer.pending() == 0);
  }
}

TEST_CASE("a length over the limit is refused by its head alone") {
  FrameBuffer buffer(1000);
  const std::vector<uint8_t> at_limit{0, 0, 3, 0xe8}, over{0, 0, 3, 0xe9};
  buffer.append(at_limit);
  const auto waits = buffer.next();
  REQUIRE(waits);
  CHECK_FALSE(waits.value());
  FrameBuffer other(1000);
  other.append(over);
  const auto refused = other.next();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == NEXUS_E_TOO_LARGE);
}

TEST_CASE("a large frame does not keep its memory") {
  FrameBuffer buffer;
  const auto large = frame_of({{"id", 1}, {"method", std::string(4 << 20, 'x')}});
  const auto small = frame_of({{"id", 2}, {"method", "stat"}});
  buffer.append(large);
  REQUIRE(buffer.next().value());
  for (int i = 0; i < 3; ++i) {
    buffer.append(small);
    REQUIRE(buffer.next().value());
  }
  CHECK(buffer.pending() == 0);
}

TEST_CASE("a request is read with and without parameters") {
  const Bytes body = cbor::Value{{"id", 7}, {"method", "stat"}}.encode();
  ClientFrame frame;
  REQUIRE(read_client_frame(body, frame));
  CHECK(frame.id == 7);
  CHECK(frame.method == "stat");
  CHECK(frame.params.empty());
  const Bytes with = cbor::Value{{"params", cbor::Value{{"a", 1}}}, {"method", "stat"}, {"id", 8}}.encode();
  ClientFrame other;
  REQUIRE(read_client_frame(with, other));
  CHECK(cbor::Value::decode(other.params).at("a").get<int>() == 1);
}

TEST_CASE("a cancel has an id and nothing else") {
  const Bytes body = cbor::Value{{"cancel", 9}}.encode();
  ClientFrame frame;
  REQUIRE(read_client_frame(body, frame));
  CHECK(frame.id == 9);
  CHECK(frame.method.empty());
  CHECK(error_of({{"cancel", 9}, {"method", "stat"}, {"id", 1}}).code == NEXUS_E_SCHEMA);
}

TEST_CASE("each way to get a request wrong has its sentence") {
  CHECK(error_of(cbor::Value::array({1, 2})).message.find("must be a map") != std::string::npos);
  CHECK(error_of({{"method", "stat"}}).message.find("no 'id'") != std::string::npos);
  CHECK(error_of({{"id", 1}}).message.find("no 'method'") != std::string::npos);
  CHECK(error_of({{"id", 1}, {"method", ""}}).message.find("no 'method'") != std::string::npos);
  CHECK(error_of({{"id", -1}, {"method", "stat"}}).message.find("'id'") != std::string::npos);
  CHECK(error_of({{"id", 1}, {"method", 5}}).message.find("'method'") != std::string::npos);
  CHECK(error_of({{"id", 1}, {"method", "stat"}, {"parms", 1}}).message.find("'parms'") != std::string::npos);
}

TEST_CASE("broken CBOR is told from wrong CBOR, and the id is kept where it was read") {
  Bytes body = cbor::Value{{"id", 77}, {"method", "stat"}}.encode();
  body.pop_back();
  ClientFrame frame;
  const auto read = read_client_frame(body, frame);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == NEXUS_E_CBOR);
  CHECK(frame.id == 77);
  ClientFrame other;
  CHECK(read_client_frame({}, other).error().code == NEXUS_E_CBOR);
  // A map that claims to have more than follows.
  const uint8_t forged[] = {0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  CHECK(read_client_frame(forged, other).error().code == NEXUS_E_CBOR);
}

TEST_CASE("what the host writes, a client reads") {
  const uint8_t item[] = {0xa1, 0x61, 'x', 0x05};
  cbor::Buffer out;
  write_answer(out, 1, item);
  write_failure(out, 2, make_error(NEXUS_E_QUEUE_FULL, "no room \xff", "wait"));
  write_item(out, 3, item);
  write_dropped(out, 4, 12);
  write_end(out, 5);
  FrameBuffer frames;
  frames.append(out.bytes());
  std::vector<HostFrame::Kind> kinds;
  for (uint64_t id = 1; id <= 5; ++id) {
    const auto next = frames.next();
    REQUIRE(next.value());
    const auto frame = read_host_frame(*next.value());
    REQUIRE(frame);
    CHECK(frame->id == id);
    kinds.push_back(frame->kind);
    if (id == 1 || id == 3) CHECK(std::vector(frame->body.begin(), frame->body.end()) == std::vector(item, item + 4));
    if (id == 4) CHECK(frame->dropped == 12);
    if (id == 2) {
      CHECK(frame->error.code == NEXUS_E_QUEUE_FULL);
      CHECK(frame->error.message == "no room \\xff");
      CHECK(frame->error.help == "wait");
    }
  }
  using Kind = HostFrame::Kind;
  CHECK(kinds == std::vector{Kind::result, Kind::error, Kind::item, Kind::dropped, Kind::end});
}

TEST_CASE("a frame of over 64 KiB has a length of four bytes that fits") {
  cbor::Buffer out;
  write_request(out, 1, "events.emit", cbor::Value(std::string(100'000, 'y')).encode());
  FrameBuffer frames;
  frames.append(out.bytes());
  const auto next = frames.next();
  REQUIRE(next.value());
  CHECK(next.value()->size() == out.size() - kFrameHeadSize);
}
