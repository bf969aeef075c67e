// Events as commands print them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/app/cli/event_format.hpp"
#include "nexus/abi/event.h"

namespace nexus::host::cli {

// The data as JSON where it is that or CBOR, else how much it is; empty without data.
std::string data_text(const nexus_event& event);

// One item of a stream of events as a line: a CloudEvent with `json`, else for a person. False when nobody takes it.
bool print_event(std::span<const uint8_t> item, bool json, bool colour);
// The same, by the user's own format.
bool print_event(std::span<const uint8_t> item, const EventFormat& format);

}  // namespace nexus::host::cli
