#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# flexor report makes one page of two short runs, which headless Chromium shows without a
# network: all sections, plots and names are in it and it asks for nothing else. What cannot
# be reported is refused in one line and leaves the old page alone.
. "$(dirname "$0")/lib.sh"

command -v chromium >/dev/null || {
    echo "chromium is not installed (scripts/install-deps test)"
    exit 77
}

train() { # NAME OPTIONS...
    local name=$1
    shift
    "$flexor" train --model lenet5 --train-images 1000 --epochs 2 --seed 3 --threads 1 \
        --json "$work/$name.json" "$@"
}
train coded --bits 0.6 -o "$work/coded.safetensors"
train float --float --checkpoint "$work/float.ckpt"
page=$work/page.html
"$flexor" report -o "$page" --data fashion-mnist --images 500 \
    "<script>x</script> & \"co\"=$work/coded.safetensors" "$work/float.ckpt"

# has COUNT PATTERN FILE: so many matches, or at least one for "+"
has() {
    local n
    n=$(grep -oE "$2" "$3" | wc -l)
    case $1 in
    +) [ "$n" -gt 0 ] || fail "no $2 in $3" ;;
    *) [ "$n" -eq "$1" ] || fail "$n x $2 in $3, expected $1" ;;
    esac
}

browse() { # OPTIONS...
    timeout 120 chromium --headless=new --no-sandbox --disable-gpu --disable-extensions \
        --no-first-run --user-data-dir="$work/chromium" --hide-scrollbars \
        --host-resolver-rules='MAP * ~NOTFOUND' --proxy-server='127.0.0.1:9' \
        --window-size=1280,3000 "$@" 2>"$work/chromium.log" ||
        fail "chromium: $(tail -n 3 "$work/chromium.log")"
}

browse --dump-dom "file://$page" >"$work/dom.html"
for id in summary curves loss accuracy bits run-1 run-2; do has 1 "id=\"$id\"" "$work/dom.html"; done
has 2 'class="card options"' "$work/dom.html"
has 1 'class="card layers"' "$work/dom.html"
has 2 'class="card histograms"' "$work/dom.html"
has 1 'class="card confusion"' "$work/dom.html"
# loss, accuracy, bits, and one histogram for each of 4 layers of both runs
has 11 '<svg class="plot"' "$work/dom.html"
has + '&lt;script&gt;x&lt;/script&gt; &amp; "co"' "$work/dom.html"
has 0 '<script' "$work/dom.html"
has 0 '(src|srcset|action|data|poster|srcdoc)=' "$work/dom.html"
has 0 'href="[^#]' "$work/dom.html"
has 0 'url\([^#]' "$work/dom.html"
ids=$(grep -oE "[^a-z-]id=[\"'][^\"']*" "$page" | sort | uniq -d)
[ -z "$ids" ] || fail "names used twice: $ids"

echo '<!DOCTYPE html><title>blank</title>' >"$work/blank.html"
browse --screenshot="$work/blank.png" "file://$work/blank.html"
browse --screenshot="$work/page.png" "file://$page"
blank=$(stat -c %s "$work/blank.png")
shown=$(stat -c %s "$work/page.png")
echo "screenshots: blank page $blank bytes, report $shown bytes"
[ "$shown" -gt $((5 * blank)) ] || fail "the report looks as empty as a blank page"
[ -z "${FLX_REPORT_SHOT:-}" ] || cp "$page" "$work/page.png" "$FLX_REPORT_SHOT/"

# Refused, and the page that was there stays.
cp "$page" "$work/before.html"
head -c 3000 "$work/coded.safetensors" >"$work/cut.safetensors"
echo 'no log' >"$work/bad.json"
expect_error FLX_ERR_NOT_FOUND "$flexor" report -o "$page" "$work/nothing.safetensors"
expect_error FLX_ERR_TRUNCATED "$flexor" report -o "$page" "$work/cut.safetensors"
expect_error FLX_ERR_FORMAT "$flexor" report -o "$page" "$work/bad.json"
expect_error FLX_ERR_ARG "$flexor" report -o "$page"
expect_error FLX_ERR_ARG "$flexor" report "$work/float.ckpt"
expect_error FLX_ERR_ARG "$flexor" report -o "$page" --data fashion-mnist "$work/float.ckpt"
mkdir "$work/empty"
expect_error FLX_ERR_NOT_FOUND env PATH="$work/empty" "$(realpath "$flexor")" report -o "$page" \
    "$work/float.ckpt"
grep -q gnuplot "$work/stderr" || fail "the missing program is not named"
cmp "$page" "$work/before.html"
[ -z "$(find "$work" -name '*.tmp')" ] || fail "temporary files are left"
