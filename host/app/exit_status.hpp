// The exit statuses of `nexus`: those of sysexits.h, so that scripts and service managers can tell causes apart.
#pragma once

#include <cstdint>

#include "nexus/abi/error.h"

namespace nexus::host::exit_status {

inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;       // it was tried, and did not work out
inline constexpr int kUsage = 64;        // the command line is wrong
inline constexpr int kData = 65;         // the input is wrong: a bad event type, bad JSON
inline constexpr int kUnavailable = 69;  // no host answers, or one is there already
inline constexpr int kSoftware = 70;
inline constexpr int kIo = 74;
inline constexpr int kTemporary = 75;  // no answer came in time
inline constexpr int kPermission = 77;
inline constexpr int kConfig = 78;

// Of a host that could not start.
constexpr int of_start(int32_t code) {
  if (code == NEXUS_E_STATE) return kUnavailable;
  if (code == NEXUS_E_PERMISSION) return kPermission;
  if (code == NEXUS_E_IO) return kIo;
  if (code == NEXUS_E_UNSUPPORTED || code == NEXUS_E_SCHEMA || code == NEXUS_E_TOO_LARGE) return kConfig;
  return kFailure;
}

// Of a client command whose call failed.
constexpr int of_call(int32_t code) {
  if (code == NEXUS_E_PERMISSION) return kPermission;
  if (code == NEXUS_E_STOPPING) return kUnavailable;
  if (code >= 200 && code < 300) return kData;
  return kFailure;
}

}  // namespace nexus::host::exit_status
