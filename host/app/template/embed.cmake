# cmake -DFILES=a;b -DFOLDER=dir -DOUTPUT=files.cpp -P embed.cmake: writes dir/a.in, dir/b.in as C++ string literals.
set(rows "")
foreach(file IN LISTS FILES)
  file(READ "${FOLDER}/${file}.in" text)
  # The name in the project: a dot file is kept without its dot here, and plugin.* gets the plugin's name.
  string(REGEX REPLACE "^gitignore$" ".gitignore" path "${file}")
  string(REPLACE "plugin" "@WORD@" path "${path}")
  string(APPEND rows "    {\"${path}\", R\"nexus(${text})nexus\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made by embed.cmake; do not edit.
#include \"host/app/template/files.hpp\"

namespace nexus::host {

std::span<const TemplateFile> template_files() {
  static constexpr TemplateFile kFiles[] = {
${rows}  };
  return kFiles;
}

}  // namespace nexus::host
")
