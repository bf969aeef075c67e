#include <charconv>
#include <cmath>

#include "host/event/base64.hpp"
#include "host/event/big_number.hpp"
#include "host/event/json.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host {
namespace {

// RFC 8949 sections 3.4.3 and 3.4.5.2.
constexpr uint64_t kTagBig = 2;
constexpr uint64_t kTagBigNegative = 3;
constexpr uint64_t kTagBase64 = 22;
constexpr uint64_t kTagBase16 = 23;
// As many bytes as the digits that json_to_cbor takes; longer ones are printed as bytes.
constexpr size_t kBigBytesMax = kJsonIntegerDigitsMax * 10 / 24;

enum class BytesForm { kBase64url, kBase64, kBase16, kBig, kBigNegative };

// Recursion is bounded by the reader's depth of 128; one frame is small because the scratch buffer is shared.
class JsonPrinter {
 public:
  JsonPrinter(std::string& out, cbor::Reader& reader) : out_(out), reader_(reader) {}

  bool item(BytesForm form = BytesForm::kBase64url);

 private:
  bool integer();
  bool floating();
  bool text();
  bool bytes(BytesForm form);
  bool array(BytesForm form);
  bool map(BytesForm form);
  bool key();
  bool tagged(BytesForm form);

  std::string& out_;
  cbor::Reader& reader_;
  cbor::Buffer scratch_;
};

bool JsonPrinter::integer() {
  uint64_t value = 0;
  char text[24];
  if (reader_.peek() == cbor::Kind::uint) {
    if (!reader_.read_uint(value)) return false;
  } else {
    if (!reader_.read_negint(value)) return false;
    out_ += '-';
    if (value == UINT64_MAX) {
      out_ += "18446744073709551616";
      return true;
    }
    ++value;
  }
  out_.append(text, std::to_chars(text, text + sizeof text, value).ptr);
  return true;
}

bool JsonPrinter::floating() {
  double value = 0;
  if (!reader_.read_double(value)) return false;
  if (!std::isfinite(value)) {
    out_ += "null";
    return true;
  }
  char text[32];
  const std::string_view digits(text, static_cast<size_t>(std::to_chars(text, text + sizeof text, value).ptr - text));
  out_ += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
  return true;
}

bool JsonPrinter::text() {
  std::string_view value;
  if (!reader_.read_text(value, scratch_)) return false;
  append_json_text(out_, value);
  return true;
}

bool JsonPrinter::bytes(BytesForm form) {
  std::span<const uint8_t> value;
  if (!reader_.read_bytes(value, scratch_)) return false;
  const bool is_big = form == BytesForm::kBig || form == BytesForm::kBigNegative;
  if (is_big && value.size() <= kBigBytesMax) {
    std::vector<uint8_t> number(value.begin(), value.end());
    if (form == BytesForm::kBigNegative) {
      increment(number);
      out_ += '-';
    }
    out_ += bytes_to_digits(number);
    return true;
  }
  out_ += '"';
  if (form == BytesForm::kBase64) {
    append_base64(out_, value);
  } else if (form == BytesForm::kBase16) {
    append_base16(out_, value);
  } else {
    // RFC 8949 section 6.1: a negative big number is told by a tilde.
    if (form == BytesForm::kBigNegative) out_ += '~';
    append_base64url(out_, value);
  }
  out_ += '"';
  return true;
}

bool JsonPrinter::array(BytesForm form) {
  cbor::Items items;
  if (!reader_.enter_array(items)) return false;
  out_ += '[';
  bool first = true;
  while (reader_.next(items)) {
    if (!first) out_ += ',';
    first = false;
    if (!item(form)) return false;
  }
  out_ += ']';
  return !reader_.failed();
}

bool JsonPrinter::map(BytesForm form) {
  cbor::Items items;
  if (!reader_.enter_map(items)) return false;
  out_ += '{';
  bool first = true;
  while (reader_.next(items)) {
    if (!first) out_ += ',';
    first = false;
    if (!key()) return false;
    out_ += ':';
    if (!item(form)) return false;
  }
  out_ += '}';
  return !reader_.failed();
}

bool JsonPrinter::key() {
  if (reader_.peek() == cbor::Kind::text) return text();
  // Printed in place, then taken out and put back in quotes where it is not text already.
  const size_t begin = out_.size();
  if (!item()) return false;
  // Quoting a container that has quoted containers as keys itself would double its length at each level.
  if (out_[begin] == '[' || out_[begin] == '{') return reader_.fail(cbor::Fault::unsupported);
  if (out_[begin] != '"') {
    const std::string printed = out_.substr(begin);
    out_.resize(begin);
    append_json_text(out_, printed);
  }
  return true;
}

// Tags 21 to 23 hold for all byte strings within, 2 and 3 only for the one that follows.
bool JsonPrinter::tagged(BytesForm form) {
  uint64_t number = 0;
  if (!reader_.read_tag(number)) return false;
  if (number == 21) return item(BytesForm::kBase64url);
  if (number == kTagBase64) return item(BytesForm::kBase64);
  if (number == kTagBase16) return item(BytesForm::kBase16);
  const bool is_big = number == kTagBig || number == kTagBigNegative;
  if (is_big && reader_.peek() == cbor::Kind::bytes) {
    return bytes(number == kTagBig ? BytesForm::kBig : BytesForm::kBigNegative);
  }
  return item(form);
}

bool JsonPrinter::item(BytesForm form) {
  switch (reader_.peek()) {
    case cbor::Kind::uint:
    case cbor::Kind::negint:
      return integer();
    case cbor::Kind::floating:
      return floating();
    case cbor::Kind::text:
      return text();
    case cbor::Kind::bytes:
      return bytes(form);
    case cbor::Kind::array:
      return array(form);
    case cbor::Kind::map:
      return map(form);
    case cbor::Kind::tag:
      return tagged(form);
    case cbor::Kind::boolean: {
      bool value = false;
      if (!reader_.read_bool(value)) return false;
      out_ += value ? "true" : "false";
      return true;
    }
    default:
      break;
  }
  out_ += "null";
  return reader_.skip();
}

}  // namespace

Result<void> append_cbor_as_json(std::string& out, std::span<const uint8_t> cbor) {
  // The check first: its depth counts tags too, which bounds the printer's recursion.
  cbor::Error fault;
  if (!cbor::check(cbor, fault)) return make_error(NEXUS_E_CBOR, fault.message());
  const size_t begin = out.size();
  cbor::Reader reader(cbor);
  if (JsonPrinter(out, reader).item() && reader.finish()) return {};
  out.resize(begin);
  if (reader.error().fault == cbor::Fault::unsupported) {
    return make_error(NEXUS_E_CBOR, "a list or a map is the key of a map, which JSON cannot say, before byte " +
                                        std::to_string(reader.error().offset));
  }
  return make_error(NEXUS_E_CBOR, reader.error().message());
}

Result<std::string> cbor_to_json(std::span<const uint8_t> cbor) {
  std::string out;
  if (const auto done = append_cbor_as_json(out, cbor); !done) return done.error();
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += '"';
  size_t plain = 0;  // where the stretch that needs no escape begins
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (text[i]) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        out += "\\u00";
        out += kDigits[byte >> 4];
        out += kDigits[byte & 0x0Fu];
    }
  }
  out.append(text, plain);
  out += '"';
}

}  // namespace nexus::host
