// One shared library that is mapped into this process. Only a private copy that has passed the probe is ever opened
// this way. Control thread; the path must be unique to this opening (the loader gives an old mapping for a known path).
#pragma once

#include <filesystem>
#include <memory>

#include "host/base/error.hpp"
#include "nexus/abi/module.h"

namespace nexus::host {

class Library {
 public:
  // Maps it with all symbols bound now and none given to others. NEXUS_E_LOAD_LINK or NEXUS_E_LOAD_FORMAT with the
  // loader's own text.
  static Result<Library> open(const std::filesystem::path& file);

  Library(Library&& other) noexcept;
  Library& operator=(Library&& other) noexcept;
  ~Library();  // closes it

  // What the one exported function returns. NEXUS_E_LOAD_SYMBOL; NEXUS_E_LOAD_MAJOR where there is only the function of
  // another major.
  Result<const nexus_module*> module() const;

  // Closes it; idempotent. True when it is really unmapped: false for a library that pins itself, by a thread_local
  // with a destructor on a live thread, a unique symbol, or a dependency.
  bool close();

  // After close: looks again.
  bool mapped() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  struct Handle;
  Library(std::filesystem::path path, std::unique_ptr<Handle> handle);

  std::filesystem::path path_;
  std::unique_ptr<Handle> handle_;  // null when closed
};

}  // namespace nexus::host
