#include "host/plugin/copy_folder.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace nexus::host {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSubfolderPrefix = "host.";
constexpr const char* kLockName = ".lock";
constexpr size_t kChunkBytes = size_t{256} << 10;
constexpr size_t kStemBytesMax = 128;
constexpr size_t kHashNameChars = 16;

Error io_error(const std::string& what, const fs::path& path, int error) {
  return make_error(NEXUS_E_IO, what + " " + path.string() + ": " + os::errno_text(error));
}

class Sha256 {
 public:
  Sha256() : context_(::EVP_MD_CTX_new()) {
    ok_ = context_ != nullptr && ::EVP_DigestInit_ex(context_, ::EVP_sha256(), nullptr) == 1;
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256() { ::EVP_MD_CTX_free(context_); }

  void add(const void* data, size_t size) { ok_ = ok_ && ::EVP_DigestUpdate(context_, data, size) == 1; }

  // Empty when the library failed, which it does only without memory.
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    unsigned size = 0;
    if (!ok_ || ::EVP_DigestFinal_ex(context_, digest.data(), &size) != 1) return {};
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (unsigned char byte : digest) {
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
    return out;
  }

 private:
  EVP_MD_CTX* context_;
  bool ok_ = false;
};

int write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t wrote = ::write(fd, data, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    data += wrote;
    size -= static_cast<size_t>(wrote);
  }
  return 0;
}

// What a file name may keep of a stem that somebody chose.
std::string safe_stem(const fs::path& file) {
  std::string stem = file.stem().string().substr(0, kStemBytesMax);
  for (char& c : stem) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return stem.empty() ? "plugin" : stem;
}

fs::path copy_name(std::string_view stem, uint64_t generation, std::string_view hash) {
  return std::string(stem) + "." + std::to_string(generation) + "." + std::string(hash.substr(0, kHashNameChars)) + ".so";
}

// Removes the subfolders whose lock nobody holds.
void remove_stale(const fs::path& base) {
  std::error_code error;
  std::vector<fs::path> stale;
  for (fs::directory_iterator it(base, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().rfind(kSubfolderPrefix, 0) != 0) continue;
    const os::UniqueFd lock(::open((it->path() / kLockName).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!lock) {
      // Without a lock file it was left half-made or half-removed; one that is just being made is younger than this.
      struct stat info {};
      if (::lstat(it->path().c_str(), &info) == 0 && ::time(nullptr) - info.st_mtime > 60) stale.push_back(it->path());
      continue;
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) stale.push_back(it->path());
  }
  for (const fs::path& folder : stale) fs::remove_all(folder, error);
}

Result<void> make_private(const fs::path& base) {
  std::error_code error;
  if (base.has_parent_path()) fs::create_directories(base.parent_path(), error);
  if (::mkdir(base.c_str(), 0700) != 0 && errno != EEXIST) return io_error("cannot make the folder", base, errno);
  struct stat info {};
  if (::lstat(base.c_str(), &info) != 0) return io_error("cannot look at", base, errno);
  if (!S_ISDIR(info.st_mode)) return io_error("cannot use", base, ENOTDIR);
  if (info.st_uid != ::geteuid() || (info.st_mode & 0077) != 0) {
    return make_error(NEXUS_E_PERMISSION,
                      base.string() + " holds the code that this host runs, and others can get at it",
                      "it must belong to the host's user, with mode 0700: chmod 700 " + base.string());
  }
  return {};
}

}  // namespace

FileCopy::FileCopy(FileCopy&& other) noexcept
    : path_(std::move(other.path_)), content_hash_(std::move(other.content_hash_)), source_(other.source_) {
  other.path_.clear();
}

FileCopy& FileCopy::operator=(FileCopy&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::move(other.path_);
  other.path_.clear();
  content_hash_ = std::move(other.content_hash_);
  source_ = other.source_;
  return *this;
}

FileCopy::~FileCopy() { remove(); }

void FileCopy::remove() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

Result<std::unique_ptr<CopyFolder>> CopyFolder::open(const fs::path& base_given) {
  std::error_code error;
  const fs::path base = fs::absolute(base_given, error).lexically_normal();
  if (error) return io_error("cannot use", base_given, error.value());
  if (Result<void> made = make_private(base); !made) return made.error();
  remove_stale(base);

  // A host that starts at the same moment may take the lock of the new subfolder, to see whether it is stale, before this
  // one does; then another one is made.
  constexpr int kAttemptsMax = 8;
  int fault = 0;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    std::string name = (base / (std::string(kSubfolderPrefix) + std::to_string(::getpid()) + ".XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) return io_error("cannot make the folder", name, errno);
    os::UniqueFd lock(::open((fs::path(name) / kLockName).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      return std::unique_ptr<CopyFolder>(new CopyFolder(name, std::move(lock)));
    }
    fault = errno;
    fs::remove_all(name, error);
  }
  return io_error("cannot lock a folder in", base, fault);
}

CopyFolder::~CopyFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Result<FileCopy> CopyFolder::copy(const os::OpenedFile& source, const fs::path& file, uint64_t generation) {
  const std::string stem = safe_stem(file);
  std::string partial = (path_ / (stem + ".XXXXXX")).string();
  const os::UniqueFd out(::mkostemp(partial.data(), O_CLOEXEC));
  if (!out) return io_error("cannot make a private copy in", path_, errno);
  FileCopy made(partial, {}, source.identity);  // removes it, should a step below fail

  Sha256 hash;
  uint64_t total = 0;
  std::vector<char> chunk(std::min<uint64_t>(kChunkBytes, source.identity.size + 1));
  for (;;) {
    const ssize_t got = ::pread(source.fd.get(), chunk.data(), chunk.size(), static_cast<off_t>(total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_error(NEXUS_E_LOAD_FILE, file.string() + " cannot be read: " + os::errno_text(errno));
    if (got == 0) break;
    total += static_cast<uint64_t>(got);
    if (total > source.identity.size) break;
    hash.add(chunk.data(), static_cast<size_t>(got));
    if (const int fault = write_all(out.get(), chunk.data(), static_cast<size_t>(got)); fault != 0) {
      return io_error("cannot make a private copy in", path_, fault);
    }
  }
  const Result<os::FileIdentity> after = os::file_identity(source.fd.get());
  if (!after || total != source.identity.size || after->modified_ns != source.identity.modified_ns) {
    return make_error(NEXUS_E_LOAD_FILE, file.string() + " changed while it was copied",
                      "it is looked at again when it has settled");
  }
  made.content_hash_ = hash.hex();
  if (made.content_hash_.empty()) return make_error(NEXUS_E_MEMORY, "cannot hash " + file.string());
  if (::fchmod(out.get(), 0400) != 0) return io_error("cannot make a private copy in", path_, errno);
  const fs::path name = path_ / copy_name(stem, generation, made.content_hash_);
  if (::rename(made.path_.c_str(), name.c_str()) != 0) return io_error("cannot make a private copy in", path_, errno);
  made.path_ = name;
  return made;
}

Result<void> CopyFolder::rename(FileCopy& copy, std::string_view plugin_id, uint64_t generation) {
  const fs::path name = path_ / copy_name(plugin_id, generation, copy.content_hash_);
  if (::rename(copy.path_.c_str(), name.c_str()) != 0) return io_error("cannot rename the private copy", copy.path_, errno);
  copy.path_ = name;
  return {};
}

}  // namespace nexus::host
