// A plugin that is built by another compiler than the host. It uses what two compilers could disagree about:
// exceptions, templates with statics of their own (std::regex), containers that grow, and a config.
#include <nexus/plugin.hpp>

#include <map>
#include <regex>
#include <string>
#include <vector>

struct ForeignAsk {
  std::string text;
  int index = 0;
};
NEXUS_EVENT(ForeignAsk, "foreign.ask", text, index)

struct ForeignTold {
  std::string compiler;
  std::string word;
  std::map<std::string, int> lengths;
};
NEXUS_EVENT(ForeignTold, "foreign.told", compiler, word, lengths)

struct ForeignConfig {
  std::string pattern = "[a-z]+";
};
NEXUS_CONFIG(ForeignConfig, pattern)

class Foreign final : public nexus::Plugin {
  NEXUS_ON(answer)
  void answer(const ForeignAsk& ask) {
    const std::regex pattern(config_.pattern);
    std::vector<std::string> words;
    std::map<std::string, int> lengths;
    for (std::sregex_iterator match(ask.text.begin(), ask.text.end(), pattern), end; match != end; ++match) {
      words.push_back(match->str());
      lengths[words.back()] = static_cast<int>(match->length());
    }
    // An index that is out of range is thrown by the library and caught by the SDK.
    emit(ForeignTold{kCompiler, words.at(static_cast<std::size_t>(ask.index)), lengths});
  }

#if defined(__clang__)
  static constexpr const char* kCompiler = "clang";
#else
  static constexpr const char* kCompiler = "gcc";
#endif
  const ForeignConfig config_ = config<ForeignConfig>();
};

NEXUS_PLUGIN(Foreign, "test.foreign", "1.0.0")
