#include "host/base/os/shared_object.hpp"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/os/file_check.hpp"

namespace nexus::host::os {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Section = ElfW(Shdr);
using Dynamic = ElfW(Dyn);

constexpr unsigned char kOwnClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned char kOwnOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
constexpr uint64_t kSegmentsMax = 1024;
constexpr uint64_t kDynamicsMax = 4096;

constexpr uint16_t own_machine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__i386__)
  return EM_386;
#elif defined(__aarch64__)
  return EM_AARCH64;
#elif defined(__arm__)
  return EM_ARM;
#elif defined(__riscv)
  return EM_RISCV;
#elif defined(__powerpc64__)
  return EM_PPC64;
#elif defined(__s390x__)
  return EM_S390;
#else
#error "name this machine's ELF number"
#endif
}

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_386: return "32-bit x86";
    case EM_AARCH64: return "64-bit ARM";
    case EM_ARM: return "32-bit ARM";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "64-bit POWER";
    case EM_S390: return "s390x";
    case EM_MIPS: return "MIPS";
    default: return "machine number " + std::to_string(machine);
  }
}

class Inspector {
 public:
  Inspector(int fd, const std::filesystem::path& file, uint64_t size) : fd_(fd), file_(file), size_(size) {}

  Result<void> run() {
    Result<void> step = identification();
    if (step) step = header();
    if (step) step = segments();
    if (step) step = sections();
    if (step) step = dynamic_section();
    return step;
  }

 private:
  Error wrong(const std::string& what, std::string help = {}) const {
    return make_error(NEXUS_E_LOAD_FORMAT, file_.string() + " " + what, std::move(help));
  }
  Error cut(const char* part, uint64_t needed) const {
    return wrong("is cut short: its " + std::string(part) + " ends at byte " + std::to_string(needed) + " of " +
                     std::to_string(size_),
                 "copy it again; a copy under another name that is renamed when complete is never seen half");
  }
  Error arch(const std::string& built_for) const {
    return make_error(NEXUS_E_LOAD_ARCH,
                      file_.string() + " is built for " + built_for + "; this host runs on " + machine_name(own_machine()),
                      "build the plugin for this machine");
  }

  // False when [offset, offset + count * each) is not all in the file; never overflows.
  bool within(uint64_t offset, uint64_t count, uint64_t each) const {
    if (offset > size_) return false;
    return count == 0 || each == 0 || (size_ - offset) / each >= count;
  }
  static uint64_t end_of(uint64_t offset, uint64_t count, uint64_t each) {
    if (each != 0 && count > (UINT64_MAX - offset) / each) return UINT64_MAX;
    return offset + count * each;
  }

  Result<void> read(uint64_t offset, void* to, uint64_t length) const {
    auto* out = static_cast<char*>(to);
    while (length > 0) {
      const ssize_t got = ::pread(fd_, out, length, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return make_error(NEXUS_E_IO, "cannot read " + file_.string() + ": " + errno_text(errno));
      if (got == 0) return cut("content", offset + length);
      out += got;
      offset += static_cast<uint64_t>(got);
      length -= static_cast<uint64_t>(got);
    }
    return {};
  }

  Result<void> identification() {
    unsigned char ident[EI_NIDENT] = {};
    const uint64_t have = size_ < EI_NIDENT ? size_ : EI_NIDENT;
    if (Result<void> got = read(0, ident, have); !got) return got;
    if (std::memcmp(ident, ELFMAG, have < SELFMAG ? have : SELFMAG) != 0) {
      return wrong("is not a shared library: it does not begin as an ELF file does");
    }
    if (size_ < EI_NIDENT) return cut("header", sizeof(Header));
    if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64) return wrong("has a damaged ELF header (class)");
    if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB) return wrong("has a damaged ELF header (order)");
    if (ident[EI_CLASS] != kOwnClass) {
      return arch(ident[EI_CLASS] == ELFCLASS32 ? "a 32-bit machine" : "a 64-bit machine");
    }
    if (ident[EI_DATA] != kOwnOrder) return arch("a machine of the other byte order");
    if (ident[EI_VERSION] != EV_CURRENT) return wrong("has a damaged ELF header (version)");
    return {};
  }

  Result<void> header() {
    if (size_ < sizeof(Header)) return cut("header", sizeof(Header));
    if (Result<void> got = read(0, &header_, sizeof header_); !got) return got;
    if (header_.e_machine != own_machine()) return arch(machine_name(header_.e_machine));
    if (header_.e_type == ET_EXEC) return wrong("is a program, not a shared library", "link it with -shared");
    if (header_.e_type == ET_REL) return wrong("is an object file, not a shared library", "link it with -shared");
    if (header_.e_type == ET_CORE) return wrong("is a core dump, not a shared library");
    if (header_.e_type != ET_DYN) return wrong("has a damaged ELF header (type)");
    if (header_.e_version != EV_CURRENT) return wrong("has a damaged ELF header (version)");
    if (header_.e_ehsize != sizeof(Header)) return wrong("has a damaged ELF header (size)");
    return {};
  }

  Result<void> segments() {
    if (header_.e_phnum == 0) return wrong("has nothing to load: no program headers");
    if (header_.e_phnum > kSegmentsMax) return wrong("has a damaged ELF header (program header count)");
    if (header_.e_phentsize != sizeof(Segment)) return wrong("has a damaged ELF header (program header size)");
    if (!within(header_.e_phoff, header_.e_phnum, sizeof(Segment))) {
      return cut("program header table", end_of(header_.e_phoff, header_.e_phnum, sizeof(Segment)));
    }
    segments_.resize(header_.e_phnum);
    if (Result<void> got = read(header_.e_phoff, segments_.data(), segments_.size() * sizeof(Segment)); !got) return got;
    bool loads = false;
    for (const Segment& segment : segments_) {
      if (segment.p_type == PT_LOAD) loads = true;
      if (segment.p_type == PT_DYNAMIC) dynamic_ = &segment;
      if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC && segment.p_type != PT_TLS) continue;
      if (!within(segment.p_offset, segment.p_filesz, 1)) {
        return cut("code or data", end_of(segment.p_offset, segment.p_filesz, 1));
      }
      if (segment.p_filesz > segment.p_memsz) return wrong("has a damaged program header (sizes)");
      if (segment.p_align > 1 && !std::has_single_bit(segment.p_align)) {
        return wrong("has a damaged program header (alignment)");
      }
    }
    if (!loads) return wrong("has nothing to load: no loadable segment");
    if (dynamic_ == nullptr) return wrong("is not a shared library: it has no dynamic section");
    return {};
  }

  // The loader ignores sections, but they stand at the end of the file: the surest sign of one that was cut short.
  Result<void> sections() {
    if (header_.e_shoff == 0) return {};
    if (header_.e_shnum != 0 && header_.e_shentsize != sizeof(Section)) {
      return wrong("has a damaged ELF header (section header size)");
    }
    if (!within(header_.e_shoff, header_.e_shnum, sizeof(Section))) {
      return cut("section header table", end_of(header_.e_shoff, header_.e_shnum, sizeof(Section)));
    }
    std::vector<Section> table(header_.e_shnum);
    if (Result<void> got = read(header_.e_shoff, table.data(), table.size() * sizeof(Section)); !got) return got;
    for (const Section& section : table) {
      if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_NULL) continue;
      if (!within(section.sh_offset, section.sh_size, 1)) {
        return cut("sections", end_of(section.sh_offset, section.sh_size, 1));
      }
    }
    return {};
  }

  Result<void> dynamic_section() {
    const uint64_t count = dynamic_->p_filesz / sizeof(Dynamic);
    if (count == 0 || count > kDynamicsMax) return wrong("has a damaged dynamic section (size)");
    std::vector<Dynamic> entries(count);
    if (Result<void> got = read(dynamic_->p_offset, entries.data(), count * sizeof(Dynamic)); !got) return got;
    bool ended = false;
    for (const Dynamic& entry : entries) {
      if (entry.d_tag == DT_NULL) {
        ended = true;
        break;
      }
      if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0) {
        return wrong("is a program, not a shared library", "link it with -shared");
      }
    }
    if (!ended) return wrong("has a damaged dynamic section (no end)");
    return {};
  }

  int fd_;
  const std::filesystem::path& file_;
  uint64_t size_;
  Header header_{};
  std::vector<Segment> segments_;
  const Segment* dynamic_ = nullptr;
};

}  // namespace

Result<void> check_shared_object(int fd, const std::filesystem::path& file) {
  Result<FileIdentity> identity = file_identity(fd);
  if (!identity) return identity.error();
  if (identity->size == 0) return make_error(NEXUS_E_LOAD_FORMAT, file.string() + " is empty");
  return Inspector(fd, file, identity->size).run();
}

bool is_mapped(const std::filesystem::path& library) {
  const std::string name = library.string();
  auto visit = [](dl_phdr_info* info, size_t, void* wanted) {
    const char* loaded = info->dlpi_name;
    return loaded != nullptr && *static_cast<const std::string*>(wanted) == loaded ? 1 : 0;
  };
  return ::dl_iterate_phdr(visit, const_cast<std::string*>(&name)) != 0;
}

}  // namespace nexus::host::os
