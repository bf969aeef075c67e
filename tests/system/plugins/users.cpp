// Answers questions: a handler that returns something is a reply.
#include "users.hpp"

class Users final : public nexus::Plugin {
  NEXUS_ON(validate)
  UserVerdict validate(const ValidateUser& query) { return {query.user_id != "nobody"}; }
};

NEXUS_PLUGIN(Users, "test.users", "1.0.0")
