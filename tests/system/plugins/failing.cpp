// A plugin whose handler fails, and a later version of it whose handler does not.
#include <nexus/plugin.hpp>

struct JobWanted {
  int number = 0;
};
NEXUS_EVENT(JobWanted, "job.wanted", number)

struct JobDone {
  int number = 0;
};
NEXUS_EVENT(JobDone, "job.done", number)

class Failing final : public nexus::Plugin {
  NEXUS_ON(work)
  void work(const JobWanted& job) {
#ifdef FAILS
    throw std::runtime_error("no room for job " + std::to_string(job.number));
#else
    emit(JobDone{job.number});
#endif
  }
};

NEXUS_PLUGIN(Failing, "test.failing", PLUGIN_VERSION)
