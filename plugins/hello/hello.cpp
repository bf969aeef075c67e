// The smallest plugin: it greets whoever asks, and says hello once when it starts.
#include <nexus/plugin.hpp>

struct Greet {
  std::string name = "world";
};
NEXUS_EVENT(Greet, "hello.greet", name)

struct Greeting {
  std::string text;
};
NEXUS_EVENT(Greeting, "hello.greeting", text)

class Hello final : public nexus::Plugin {
  void start() override { log().info("hello"); }

  NEXUS_ON(greet)
  Greeting greet(const Greet& who) { return {"Hello, " + who.name + "!"}; }
};
NEXUS_PLUGIN(Hello, "com.example.hello", "1.0.0")
