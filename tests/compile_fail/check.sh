#!/bin/sh
# Proves that each misuse in a file stops the compiler with a sentence that helps: check.sh COMPILER INCLUDE_FOLDER FILE
#
# The file says `// expect N: words` once or more for each misuse N; its code under `#if MISUSE == N` must not compile,
# and the compiler must say those words. Without MISUSE the file must compile, so that it is the misuse that fails.
set -u
compiler=$1
include=$2
file=$3
if ! command -v "$compiler" > /dev/null 2>&1; then
  echo "passed over: $compiler is not installed"
  [ -z "${CI:-}" ]
  exit
fi
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# The header is read once and kept, since a file is compiled many times.
flags="-std=c++20 -Wall -Wextra -Wpedantic -I $include"
header=$(sed -n 's|^#include <\(nexus/.*\)>|\1|p' "$file" | head -1)
printf '#include <%s>\n' "$header" > "$scratch/first.hpp"
# shellcheck disable=SC2086
"$compiler" $flags -x c++-header "$scratch/first.hpp" -o "$scratch/first.hpp.gch" || exit 1
case $("$compiler" --version | head -1) in
  *clang*) first="-include-pch $scratch/first.hpp.gch" ;;
  *) first="-include $scratch/first.hpp" ;;
esac

# shellcheck disable=SC2086
compile() { "$compiler" $flags $first -fsyntax-only "$@" "$file" > "$scratch/output" 2>&1; }

if ! compile -Werror; then
  echo "$file does not compile without a misuse:"
  cat "$scratch/output"
  exit 1
fi
numbers=$(sed -n 's|^// expect \([0-9]*\):.*|\1|p' "$file" | sort -nu)
[ -n "$numbers" ] || { echo "$file expects nothing"; exit 1; }
failures=0
for number in $numbers; do
  grep -q "MISUSE == $number\$" "$file" || { echo "$file has no misuse $number"; failures=$((failures + 1)); continue; }
  if compile "-DMISUSE=$number"; then
    echo "$file: misuse $number compiles"
    failures=$((failures + 1))
    continue
  fi
  sed -n "s|^// expect $number: ||p" "$file" > "$scratch/words"
  while IFS= read -r words; do
    if ! grep -qF -- "$words" "$scratch/output"; then
      echo "$file: misuse $number is refused without the words: $words"
      head -30 "$scratch/output"
      failures=$((failures + 1))
    fi
  done < "$scratch/words"
done
echo "$(echo "$numbers" | wc -l) misuses, $failures failures"
[ "$failures" -eq 0 ]
