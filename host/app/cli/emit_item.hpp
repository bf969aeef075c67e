// From what a user writes to one item of events.emit: JSON data under a type that was given, or a whole event as JSON,
// plain or CloudEvents. Owned by one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/app/cli/options.hpp"
#include "host/base/error.hpp"
#include "nexus/cbor.hpp"

namespace nexus::host::cli {

// What --data means: the text itself, a file's content, or all of standard input; empty without --data. NEXUS_E_IO, and
// NEXUS_E_JSON for data that is only white space.
Result<std::string> read_data(const EmitCommand& command);
Error no_file(const std::string& file);

class EmitItemWriter {
 public:
  // `command` outlives the writer. NEXUS_E_ARGUMENT when a --metadata has no '='.
  static Result<EmitItemWriter> create(const EmitCommand& command);

  // Appends an item whose data is this JSON text; without any text, an event without data. NEXUS_E_JSON.
  Result<void> write_data(std::string_view json, cbor::Buffer& out) const;

  // Appends the item of a line that is a whole event: {"specversion": "1.0", …} by the rules of CloudEvents, or
  // {"type": "order.created", "data": …} with the fields of events.emit; what it leaves out comes from the options of
  // the command line. NEXUS_E_JSON, NEXUS_E_SCHEMA with the field's name, NEXUS_E_TYPE_NAME.
  Result<void> write_event(std::string_view json, cbor::Buffer& out) const;

 private:
  explicit EmitItemWriter(const EmitCommand& command) : command_(command) {}

  const EmitCommand& command_;
  std::vector<uint8_t> metadata_;  // of --metadata, a CBOR map; empty: none
};

}  // namespace nexus::host::cli
