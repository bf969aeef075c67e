// The files of host/app/template/files as they were when the host was built. Static, immutable.
#pragma once

#include <span>
#include <string_view>

namespace nexus::host {

struct TemplateFile {
  std::string_view path;  // relative to the project, with placeholders
  std::string_view text;  // with placeholders
};

std::span<const TemplateFile> template_files();

}  // namespace nexus::host
