// A plugin whose functions throw, as no function of the ABI may: -D names the one that does.
#include <stdexcept>

#include "nexus/abi/abi.h"

namespace {

constexpr nexus_string text(const char* data, uint64_t size) { return {data, size}; }

int32_t create(const nexus_host*, nexus_bytes, void** instance, nexus_error*) {
#if defined(THROWING_CREATE)
  throw std::runtime_error("the wall must hold");
#endif
  static int one = 0;
  *instance = &one;
  return NEXUS_OK;
}

int32_t start(void*, nexus_error*) {
#if defined(THROWING_START)
  throw 42;
#endif
  return NEXUS_OK;
}

void quiesce(void*, int64_t) { throw std::logic_error("quiesce"); }
void destroy(void*) { throw std::logic_error("destroy"); }

const nexus_module kModule = {
    sizeof(nexus_module), NEXUS_ABI_MINOR, 0, 0, 0, text("com.test.throwing", 17), text("1.0.0", 5), {}, {}, {}, nullptr,
    0, nullptr, 0, nullptr, 0, {}, create, start, quiesce, destroy, nullptr,
};

}  // namespace

extern "C" const nexus_module* nexus_module_v1(void) { return &kModule; }
