#!/bin/sh
# Every header of the C ABI, alone and all together, in every language version that a plugin may be written in, by every
# compiler given, with no warning at all and no hidden padding: headers.sh INCLUDE_FOLDER COMPILER...
# A compiler that is not installed is passed over, but at least one must be there, and where CI is set all.
set -u
include=$1
shift
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failures=0
checks=0

# check COMPILER LANGUAGE STANDARD FILE WHAT
check() {
  checks=$((checks + 1))
  if ! "$1" -x "$2" -std="$3" -fsyntax-only -Wall -Wextra -pedantic -pedantic-errors -Wpadded -Werror -I "$include" "$4" \
      > "$scratch/output" 2>&1; then
    failures=$((failures + 1))
    echo "FAILED: $5 as $3 by $1"
    cat "$scratch/output"
  fi
}

all=$scratch/all
: > "$all"
for header in "$include"/nexus/abi/*.h "$include"/nexus/abi/draft/*.h; do
  name=nexus/abi/${header#"$include"/nexus/abi/}
  # Twice, so that the include guard is tried as well.
  printf '#include "%s"\n#include "%s"\ntypedef int a_translation_unit_is_not_empty;\n' "$name" "$name" \
    > "$scratch/$(echo "$name" | tr / _).one"
  echo "#include \"$name\"" >> "$all"
done
echo 'typedef int a_translation_unit_is_not_empty;' >> "$all"

used=0
for compiler in "$@"; do
  command -v "$compiler" > "$scratch/which" || { echo "passed over: $compiler is not installed"; continue; }
  used=$((used + 1))
  for pair in c:c99 c:c11 c:c17 c++:c++11 c++:c++14 c++:c++17 c++:c++20; do
    language=${pair%%:*}
    standard=${pair#*:}
    for one in "$scratch"/*.one; do check "$compiler" "$language" "$standard" "$one" "$(basename "$one" .one)"; done
    check "$compiler" "$language" "$standard" "$all" 'all together'
  done
done
[ "$used" -gt 0 ] || { echo 'no compiler was found'; exit 1; }
[ "$used" -eq $# ] || [ -z "${CI:-}" ] || { echo 'CI wants them all'; exit 1; }
echo "$checks checks by $used compilers, $failures failed"
[ "$failures" -eq 0 ]
