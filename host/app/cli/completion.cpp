#include <algorithm>
#include <string>

#include "host/app/cli/options.hpp"

namespace nexus::host::cli {
namespace {

// Every command with its path: "", "plugins", "plugins ls".
template <class Do>
void walk(const CommandNode& node, const std::string& path, const Do& visit) {
  visit(node, path);
  for (const CommandNode& child : node.commands) walk(child, path.empty() ? child.name : path + " " + child.name, visit);
}

std::string words_of(const CommandNode& node) {
  std::string words;
  const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  for (const CommandNode& child : node.commands) add(child.name);
  for (const OptionNode& option : node.options)
    for (const std::string& name : option.names) add(name);
  return words;
}

// Inside single quotes of a POSIX shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The words before the cursor that are no options make the path; bash and zsh share this.
std::string cases(const CommandNode& root) {
  std::string out;
  walk(root, "", [&](const CommandNode& node, const std::string& path) {
    out += "    " + quoted(path) + ") words=" + quoted(words_of(node)) + " ;;\n";
  });
  return out;
}

std::string paths(const CommandNode& root) {
  std::string out;
  walk(root, "", [&](const CommandNode&, const std::string& path) {
    if (!path.empty()) out += (out.empty() ? "" : "|") + quoted(path);
  });
  return out;
}

std::string bash_script(const CommandNode& root) {
  return "# bash completion for nexus; source it, or put it into the completions folder of bash-completion\n"
         "_nexus() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} path= word words= i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    case \"${path:+$path }$word\" in\n"
         "      " + paths(root) + ") path=\"${path:+$path }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases(root) +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  [[ ${#COMPREPLY[@]} -gt 0 || $current == -* ]] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "}\n"
         "complete -F _nexus nexus\n";
}

std::string zsh_script(const CommandNode& root) {
  return "#compdef nexus\n"
         "# zsh completion for nexus; put it as _nexus into a folder of $fpath\n"
         "_nexus() {\n"
         "  local path_ word words_ i\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    word=${words[i]}\n"
         "    case \"${path_:+$path_ }$word\" in\n"
         "      (" + paths(root) + ") path_=\"${path_:+$path_ }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  local -a found\n"
         "  case \"$path_\" in\n" +
         [&] {
           std::string text = cases(root);
           for (size_t at = 0; (at = text.find(") words=", at)) != std::string::npos; at += 9) text.replace(at, 8, ") words_=");
           return text;
         }() +
         "  esac\n"
         "  found=(${=words_})\n"
         "  compadd -- $found || _files\n"
         "}\n"
         "_nexus \"$@\"\n";
}

std::string fish_script(const CommandNode& root) {
  std::string out =
      "# fish completion for nexus; put it as nexus.fish into the completions folder of fish\n"
      "function __nexus_at\n"
      "  set -l words (commandline -opc | string match -v -- '-*')\n"
      "  test (string join ' ' $words[2..-1]) = \"$argv\"\n"
      "end\n";
  walk(root, "", [&](const CommandNode& node, const std::string& path) {
    const std::string when = "complete -c nexus -n " + quoted("__nexus_at " + path);
    for (const CommandNode& child : node.commands) out += when + " -f -a " + child.name + " -d " + quoted(child.text) + "\n";
    for (const OptionNode& option : node.options) {
      out += when;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      out += (option.takes_value ? " -r" : "") + std::string(" -d ") + quoted(option.text) + "\n";
    }
  });
  return out;
}

}  // namespace

std::string completion_script(const CommandNode& root, const std::string& shell) {
  if (shell == "zsh") return zsh_script(root);
  if (shell == "fish") return fish_script(root);
  return bash_script(root);
}

}  // namespace nexus::host::cli
