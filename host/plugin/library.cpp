#include "host/plugin/library.hpp"

#include <array>
#include <string>

#include <boost/dll/shared_library.hpp>

#include "host/base/os/shared_object.hpp"

namespace nexus::host {

struct Library::Handle {
  boost::dll::shared_library library;
};

namespace {

constexpr const char* kSymbol = "nexus_module_v1";
constexpr std::array<const char*, 4> kOtherMajors = {"nexus_module_v2", "nexus_module_v3", "nexus_module_v4",
                                                     "nexus_module_v0"};

// glibc words its refusals of damaged files differently from those of missing libraries and symbols.
int32_t load_code(const std::string& text) {
  for (const char* damage : {"invalid ELF header", "file too short", "ELF file", "ELF load command", "wrong ELF class",
                             "cannot read file data", "object file has no", "cannot dynamically load"}) {
    if (text.find(damage) != std::string::npos) return NEXUS_E_LOAD_FORMAT;
  }
  return NEXUS_E_LOAD_LINK;
}

// The loader begins its text with the path of the private copy, which says nothing to a reader.
std::string loader_text(const std::filesystem::path& file, std::string text) {
  const std::string prefix = file.string() + ": ";
  if (text.rfind(prefix, 0) == 0) text.erase(0, prefix.size());
  return text;
}

}  // namespace

Library::Library(std::filesystem::path path, std::unique_ptr<Handle> handle)
    : path_(std::move(path)), handle_(std::move(handle)) {}
Library::Library(Library&& other) noexcept = default;
Library& Library::operator=(Library&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    handle_ = std::move(other.handle_);
  }
  return *this;
}
Library::~Library() { close(); }

Result<Library> Library::open(const std::filesystem::path& file) {
  auto handle = std::make_unique<Handle>();
  boost::system::error_code error;
  ::dlerror();
  handle->library.load(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
  if (error) {
    const char* raw = ::dlerror();
    const std::string text = loader_text(file, raw != nullptr ? raw : error.message());
    const int32_t code = load_code(text);
    return make_error(code, "the loader refuses it: " + text,
                      code == NEXUS_E_LOAD_LINK ? "install what is missing, or link the plugin against it" : "");
  }
  return Library(file, std::move(handle));
}

Result<const nexus_module*> Library::module() const {
  if (!handle_) return make_error(NEXUS_E_STATE, "the library is closed");
  const boost::dll::shared_library& library = handle_->library;
  if (library.has(kSymbol)) return library.get<const nexus_module*()>(kSymbol)();
  for (const char* other : kOtherMajors) {
    if (library.has(other)) {
      return make_error(NEXUS_E_LOAD_MAJOR,
                        "it provides " + std::string(other) + ", another major of the ABI; this host takes " + kSymbol,
                        "build the plugin against the SDK of this host");
    }
  }
  return make_error(NEXUS_E_LOAD_SYMBOL, "it does not export " + std::string(kSymbol),
                    "end the plugin's source with NEXUS_PLUGIN(...), and build it with nexus_add_plugin()");
}

bool Library::close() {
  if (handle_) {
    handle_->library.unload();
    handle_.reset();
  }
  return !mapped();
}

bool Library::mapped() const { return !path_.empty() && os::is_mapped(path_); }

}  // namespace nexus::host
