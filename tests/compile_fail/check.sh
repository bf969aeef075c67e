#!/bin/sh
# Proves that each misuse in a file stops the compiler with a sentence that helps.
#
#   check.sh header  COMPILER INCLUDE_FOLDER HEADER FOLDER   keeps the header, read by the compiler, in the folder
#   check.sh misuses COMPILER INCLUDE_FOLDER FILE   FOLDER   tries the file, whose header is kept in the folder
#
# The file says `// expect N: words` once or more for each misuse N; its code under `#if MISUSE == N` must not compile,
# and the compiler must say those words. Without MISUSE the file must compile, so that it is the misuse that fails.
# A compiler that is not installed is passed over, with the exit code that ctest takes for that; where CI is set it fails.
set -u
step=$1
compiler=$2
include=$3
file=$4
kept=$5
if ! command -v "$compiler" > /dev/null 2>&1; then
  echo "passed over: $compiler is not installed"
  [ -z "${CI:-}" ] || exit 1
  exit 77
fi

flags="-std=c++20 -Wall -Wextra -Wpedantic -I $include"
case $("$compiler" --version | head -1) in
  *clang*)
    # clang keeps what the header itself instantiates as well; g++ does that work for every file.
    keep=-fpch-instantiate-templates
    use="-include-pch $kept/first.hpp.gch"
    ;;
  *)
    keep=
    use="-include $kept/first.hpp -Winvalid-pch"
    ;;
esac

if [ "$step" = header ]; then
  rm -rf "$kept"
  mkdir -p "$kept" || exit 1
  printf '#include <%s>\n' "$file" > "$kept/first.hpp"
  # shellcheck disable=SC2086
  exec "$compiler" $flags $keep -x c++-header "$kept/first.hpp" -o "$kept/first.hpp.gch"
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# shellcheck disable=SC2086
compile() { "$compiler" $flags $use -fsyntax-only "$@" "$file" > "$scratch/output" 2>&1; }

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
