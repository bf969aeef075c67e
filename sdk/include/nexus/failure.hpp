// Where exceptions stop: turns whatever a handler threw into the answer that the ABI knows. Not for plugin authors.
#pragma once

#include <cstdint>
#include <exception>
#include <string_view>
#include <typeinfo>

#include "nexus/abi/event.h"
#include "nexus/core.hpp"
#include "nexus/errors.hpp"
#include "nexus/schema_error.hpp"

namespace nexus::detail {

inline std::int32_t answer_failure(nexus_outcome* outcome, std::int32_t verdict, std::int32_t code,
                                   std::string_view sentence, nexus_string error_type) noexcept {
  if (outcome != nullptr) {
    write_error(outcome->error, code, sentence);
    outcome->error_type = error_type;
  }
  return verdict;
}

// The name that tools group failures by; static, or as long-lived as the instance.
inline nexus_string exception_type(Core& core, const std::exception& error) noexcept {
#if defined(__cpp_rtti) || defined(_CPPRTTI)
  try {
    return core.type_text(typeid(error));
  } catch (...) {
    return to_abi("std::exception");
  }
#else
  (void)core, (void)error;
  return to_abi("std::exception");
#endif
}

// To be called in a catch block. Gives the verdict and fills the outcome. Kept out of line: the way of a failure is
// never the fast one.
#if defined(__GNUC__)
[[gnu::noinline, gnu::cold]]
#endif
inline std::int32_t
answer_exception(Core& core, nexus_outcome* outcome) noexcept {
  try {
    throw;
  } catch (const Skip&) {
    return NEXUS_SKIP;
  } catch (const Reject& error) {
    return answer_failure(outcome, NEXUS_REJECT, NEXUS_E_PLUGIN, error.what(), to_abi(error.type()));
  } catch (const RetryAfter& error) {
    if (outcome != nullptr) outcome->retry_after_ns = error.delay().count();
    return answer_failure(outcome, NEXUS_RETRY, NEXUS_E_PLUGIN, error.what(), to_abi("retry_after"));
  } catch (const SchemaError& error) {
    return answer_failure(outcome, NEXUS_REJECT, NEXUS_E_SCHEMA, error.what(), to_abi("schema_error"));
  } catch (const Error& error) {
    return answer_failure(outcome, NEXUS_RETRY, error.code(), error.what(), exception_type(core, error));
  } catch (const std::exception& error) {
    return answer_failure(outcome, NEXUS_RETRY, NEXUS_E_PLUGIN, error.what(), exception_type(core, error));
  } catch (...) {
    return answer_failure(outcome, NEXUS_RETRY, NEXUS_E_PLUGIN, "unknown exception", to_abi("unknown"));
  }
}

// For callbacks that have nobody to answer to (timers, posted tasks): one line in the log.
inline void log_exception(Core& core, std::string_view where) noexcept {
  try {
    std::string sentence(where);
    try {
      throw;
    } catch (const std::exception& error) {
      sentence += error.what();
    } catch (...) {
      sentence += "unknown exception";
    }
    core.log(NEXUS_LOG_ERROR, sentence);
  } catch (...) {  // no memory even for the sentence
    core.log(NEXUS_LOG_ERROR, "a callback failed, and so did telling why");
  }
}

// For calls that answer with a code and a sentence (create, start).
inline std::int32_t error_from_exception(nexus_error* out, std::int32_t code) noexcept {
  try {
    throw;
  } catch (const ConfigError& error) {
    return write_error(out, NEXUS_E_LOAD_CONFIG, error.what());
  } catch (const Error& error) {
    return write_error(out, error.code(), error.what());
  } catch (const std::exception& error) {
    return write_error(out, code, error.what());
  } catch (...) {
    return write_error(out, code, "unknown exception");
  }
}

}  // namespace nexus::detail
