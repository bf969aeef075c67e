#include <catch2/catch_test_macros.hpp>
#include <nexus/testing.hpp>

#include "plugins/welcome_mail/welcome_mail.cpp"

using namespace welcome;

TEST_CASE("whoever registers gets one welcome, mobile users their own") {
  nexus::testing::Host host;
  auto mails = host.load<WelcomeMail>();
  host.emit(UserRegistered{"u-1", "Ada", "ada@example.com"});
  host.emit(UserRegistered{"u-2", "Bob", "bob@example.com", "mobile"});
  host.run();
  const auto sent = host.emitted<MailRequested>();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].to == "ada@example.com");
  CHECK(sent[0].text == "Welcome, Ada!");
  CHECK(sent[1].to == "bob@example.com");
  CHECK(sent[1].text.find("phone") != std::string::npos);
}

TEST_CASE("a user without an address is rejected for good") {
  nexus::testing::Host host;
  auto mails = host.load<WelcomeMail>();
  host.emit(UserRegistered{"u-1", "Ada", ""});
  host.run();
  CHECK(host.emitted<MailRequested>().empty());
  REQUIRE(host.failures().size() == 1);
  CHECK(host.failures().front().dead_lettered);
}
