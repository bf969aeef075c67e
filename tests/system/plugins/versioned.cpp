// A plugin of which there are several versions: each tells its own when it is asked, and counts what it was given.
#include <nexus/plugin.hpp>

struct VersionAsk {
  int number = 0;
};
NEXUS_EVENT(VersionAsk, "version.ask", number)

struct VersionTold {
  int number = 0;
  std::string version;
};
NEXUS_EVENT(VersionTold, "version.told", number, version)

struct VersionedConfig {
  std::string word = "none";
};
NEXUS_CONFIG(VersionedConfig, word)

class Versioned final : public nexus::Plugin {
  void start() override {
#ifdef FAIL_TO_START
    throw std::runtime_error("this version does not start");
#endif
    log().info("versioned starts", {{"word", config_.word}});
  }

  NEXUS_ON(answer)
  void answer(const VersionAsk& ask) { emit(VersionTold{ask.number, PLUGIN_VERSION}); }

  const VersionedConfig config_ = config<VersionedConfig>();
};

NEXUS_PLUGIN(Versioned, "test.versioned", PLUGIN_VERSION)
