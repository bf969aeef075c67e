// What the test plugins users and shop tell each other.
#pragma once

#include <nexus/plugin.hpp>
#include <string>

struct ValidateUser {
  std::string user_id;
};
NEXUS_EVENT(ValidateUser, "user.validate", user_id)

struct UserVerdict {
  bool is_valid = false;
};
NEXUS_EVENT(UserVerdict, "user.verdict", is_valid)
