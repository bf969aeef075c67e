// How commands speak: data to standard output, sentences to standard error, colours only where a person reads them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"

namespace nexus::host::cli {

// To standard error: "nexus: no host answers at …" and, below, the help. The exit status for it.
int fail(const Error& error);
int fail(int status, const Error& error);

// Whether a person reads this descriptor and has not set NO_COLOR.
bool has_colour(int descriptor);

// One line of data to standard output; false when nobody takes it any more.
bool print_line(std::string_view line);
void print(std::string_view text);
// A CBOR item as one line of JSON.
bool print_json(std::span<const uint8_t> item);

// Columns as wide as their longest cell, two spaces apart; the first row is the head. Right-aligned where `right` says.
std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right = {});

// "12,345".
std::string grouped(uint64_t number);
// "2.1 MB".
std::string bytes_text(uint64_t bytes);

}  // namespace nexus::host::cli
