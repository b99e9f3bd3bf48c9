#!/usr/bin/env bash
# Checks that the code in Markdown pages is quoted from files:   tests/scripts/quoted_code_test.sh SOURCE PAGE...
# The line above each ```cpp block must be the name of a file, as `FILE`: and the file must contain the block.
set -euo pipefail
source=$1
shift

failed=0
complain() {
  echo "$page:$number: $1" >&2
  failed=1
}

for page in "$@"; do
  number=0 quotations=0 file='' code='' inside=0
  while IFS= read -r line; do
    number=$((number + 1))
    if ((inside)) && [[ $line == '```' ]]; then
      inside=0 quotations=$((quotations + 1))
      [[ -f $source/$file ]] || { complain "no file '$file' for the code that ends here" && continue; }
      [[ $(<"$source/$file")$'\n' == *"$code"* ]] || complain "$file does not contain the code that ends here"
    elif ((inside)); then
      code+=$line$'\n'
    elif [[ $line == '```cpp' ]]; then
      inside=1 code=''
    elif [[ $line =~ ^\`([^\`]+)\`:$ ]]; then
      file=${BASH_REMATCH[1]}
    elif [[ -n $line ]]; then
      file=''
    fi
  done <"$source/$page"
  ((quotations > 0)) || complain 'no quoted code found'
done
exit "$failed"
