#!/usr/bin/env bash
# Opens the page of melgrad report in a headless Chromium:   tests/scripts/report_browser_test.sh PROGRAM
# The page must cause no console message and no request to another machine, and its script must run. The script of this
# test first expects to find faults in a page that has them. Exits with 77 if there is no Chromium.
set -euo pipefail
program=$1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || exit 77
scratch=$(mktemp --directory)
trap 'rm -rf "$scratch"' EXIT
export MELGRAD_CACHE=$scratch/cache

# browse PAGE: the console messages and requests of the page; its final document is in $scratch/document. No name can be
# resolved. The browser's own requests go to its vendor.
browse() {
  "$browser" --headless --no-sandbox --disable-gpu --enable-logging=stderr --v=0 --disable-background-networking \
    --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$scratch/profile" --log-net-log="$scratch/requests" \
    --dump-dom "file://$1" >"$scratch/document" 2>"$scratch/log" || { cat "$scratch/log" >&2; return 1; }
  grep CONSOLE "$scratch/log" || true
  grep --only-matching --extended-regexp '"url":"https?://[^"]*"' "$scratch/requests" |
    grep --invert-match --extended-regexp '//[^/"]*\.(google|googleapis|gvt1)\.com/' | sort --unique || true
}

printf '<!DOCTYPE html><img src="http://example.com/x.png"><script>undefinedFunction()</script>' >"$scratch/faulty.html"
found=$(browse "$scratch/faulty.html")
if [[ $found != *undefinedFunction* || $found != *http://example.com/x.png* ]]; then
  echo "the test does not see the faults of a page: $found" >&2
  exit 1
fi

"$program" synth "$scratch/music" --tracks-per-genre 4 --seconds 2 --quiet >"$scratch/synth"
for model in cnn resnet_small; do
  "$program" train "$scratch/music" --model "$model" --epochs 1 --crop-frames 64 --test-fraction 0.25 \
    --validation-fraction 0.34 --quiet --out "$scratch/$model" >/dev/null
done
"$program" report "$scratch/cnn" "$scratch/resnet_small" --out "$scratch/report.html" --hardest 2 --quiet >/dev/null
messages=$(browse "$scratch/report.html")
if [[ -n $messages ]]; then
  echo "the report causes console messages or requests: $messages" >&2
  exit 1
fi
# The script shows the tracks of one cell of each confusion matrix.
if (($(grep --only-matching 'aria-expanded="true"' "$scratch/document" | wc -l) != 2)); then
  echo "the script of the report did not run" >&2
  exit 1
fi
