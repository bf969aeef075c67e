// A waiting delivery (an EventBlock and the target whose handlers get it), or a task when target is null.
#pragma once

namespace nexus::host {

struct Target;

struct Slot {
  void* item = nullptr;
  Target* target = nullptr;
};

}  // namespace nexus::host
