// What --format says: a line of the user's own for each event, with members of the event in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "nexus/abi/event.h"

namespace nexus::host::cli {

class EventFormat {
 public:
  // Text with {members}: an attribute as `nexus tap --json` names it, {data}, or a path into the data, {data.order.id};
  // {time}, {type}, ... \n, \t and \\ mean what they do elsewhere, {{ and }} are braces. NEXUS_E_ARGUMENT, with the
  // column, when a brace is open or empty.
  static Result<EventFormat> parse(std::string_view text);

  // The line for one event. What it has not is empty; texts are as they are but for control characters, all else is
  // JSON.
  std::string line(const nexus_event& event) const;

 private:
  struct Piece {
    bool is_member = false;
    std::string text;  // literal, or the path of the member
  };
  std::vector<Piece> pieces_;
};

}  // namespace nexus::host::cli
