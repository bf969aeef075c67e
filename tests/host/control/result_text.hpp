// Lets Catch2 print a Result in a check: its error, or that there is none.
#pragma once

#include <catch2/catch_tostring.hpp>

#include <string>

#include "host/base/error.hpp"

namespace Catch {

template <class T>
struct StringMaker<boost::system::result<T, nexus::host::Error>> {
  static std::string convert(const boost::system::result<T, nexus::host::Error>& result) {
    return result ? "a value" : "error " + std::to_string(result.error().code) + ": " + result.error().message;
  }
};

}  // namespace Catch
