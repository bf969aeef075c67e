// The documentation's user example: a welcome for whoever registers, counted first, with another text for mobile users.
#include <nexus/events.hpp>
#include <nexus/plugin.hpp>

namespace welcome {

using nexus::events::UserRegistered;

// Somebody should send this mail.
struct MailRequested {
  std::string to;
  std::string subject;
  std::string text;
};
NEXUS_EVENT(MailRequested, "mail.requested", to, subject, text)

inline bool from_mobile(const UserRegistered& user) { return user.registration_source == "mobile"; }

class WelcomeMail final : public nexus::Plugin {
  void start() override { registered_ = counter("users_registered", "Registrations seen."); }

  NEXUS_ON(count, .priority = 10)
  void count(const UserRegistered&) { registered_.add(); }

  NEXUS_ON(welcome, .when = [](const UserRegistered& user) { return !from_mobile(user); })
  void welcome(const UserRegistered& user) { send(user, "Welcome, " + user.username + "!"); }

  NEXUS_ON(welcome_mobile, .when = [](const UserRegistered& user) { return from_mobile(user); })
  void welcome_mobile(const UserRegistered& user) {
    send(user, "Welcome, " + user.username + "! Our app is made for your phone.");
  }

  void send(const UserRegistered& user, const std::string& text) {
    // For good: trying again would not give them an address.
    if (user.email.empty()) throw nexus::Reject("user " + user.user_id + " has no e-mail address");
    emit(MailRequested{user.email, "Welcome", text}, {.key = user.user_id});
  }

  nexus::Counter registered_;
};

NEXUS_PLUGIN(WelcomeMail, "com.example.welcome-mail", "1.0.0", .name = "Welcome mail",
             .description = "The documentation's user example")

}  // namespace welcome
