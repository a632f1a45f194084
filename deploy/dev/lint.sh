#!/usr/bin/env bash
# check the form of code, scripts and docs; changes nothing.
#
# Usage: ./dev lint [--fix]
#
#   --fix   format C# and repair what can be repaired in Markdown, instead of checking
#
# Checks: C# is formatted (CSharpier, width 120), at most 1 % of the lines in src are longer than 120 columns, shell scripts parse, Markdown is
# well-formed (markdownlint), no sentence has more than 35 words and no paragraph more than six sentences (docs/sentences.mjs), words are
# spelled right (cspell; deploy/lint/words.txt has ours). Analyzers and code style are checked by the build, where each finding is an error.
# Needs the .NET SDK and Node.js 20; the tools are pinned (.config/dotnet-tools.json, deploy/lint/package-lock.json).
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/sdk.sh
. deploy/machine/bench-tools.sh

fix=no
for argument in "$@"; do
  case $argument in
    --fix) fix=yes ;;
    *) unknown_argument "--fix or nothing" "$argument" ;;
  esac
done
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1

# Percent of the lines in src that may be longer than the width: long texts in strings.
width=120 most_percent=1

restore_tools() { dotnet tool restore; }

csharp_format() { dotnet csharpier check . || fail_with_log "Expected formatted C#, found the files above. Run ./dev lint --fix."; }

csharp_fix() { dotnet csharpier format .; }

long_lines() {
  local sources result
  sources=$(find src -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' -not -path '*/node_modules/*' -not -path '*/Migrations/*')
  # shellcheck disable=SC2086 # paths without spaces
  result=$(awk -v width="$width" '{ n++ } length > width { long++ } END { printf "%d of %d lines, %.2f %%", long, n, 100 * long / n }' $sources)
  note "$result"
  # shellcheck disable=SC2086
  awk -v width="$width" -v most="$most_percent" '{ n++ } length > width { long++ } END { exit !(100 * long <= most * n) }' $sources ||
    fail "Expected at most $most_percent % of the lines in src to be longer than $width columns, found $result."
}

shell_scripts() {
  local script bad=0 count=0
  while IFS= read -r script; do
    count=$((count + 1))
    bash -n "$script" || bad=$((bad + 1))
  done < <(find . -name '*.sh' -not -path '*/node_modules/*' -not -path './artifacts/*'; echo ./dev; echo ./.ci/run)
  note "$count scripts"
  [ "$bad" -eq 0 ] || fail_with_log "Expected scripts that parse, found $bad that do not."
}

markdown() { node deploy/lint/node_modules/markdownlint-cli2/markdownlint-cli2-bin.mjs "$@" || fail_with_log "Expected well-formed Markdown, found the faults above. ./dev lint --fix repairs most of them."; }

# The check is tested first: one that finds nothing any more would look like good pages.
sentences() {
  local tested
  tested=$(node --test docs/sentences.test.mjs 2>&1) || fail "$tested" "Expected docs/sentences.mjs to pass its own tests, found the failures above."
  node docs/sentences.mjs || fail_with_log "Expected short sentences and paragraphs, found the ones above. Split them."
}

spelling() {
  node deploy/lint/node_modules/cspell/bin.mjs lint --config deploy/lint/cspell.jsonc --no-progress --no-summary --show-suggestions ||
    fail_with_log "Expected known words, found the ones above. Correct them, mark code as code, or add a name to deploy/lint/words.txt."
}

stage ".NET SDK" ensure_sdk
stage "Node.js" ensure_node "markdownlint and cspell run on it." "Install it: https://nodejs.org/en/download"
stage "Tools from NuGet" restore_tools
stage "Tools from npm" ensure_npm_packages deploy/lint
if [ "$fix" = yes ]; then
  stage "Formatting C#" csharp_fix
  stage "Repairing Markdown" markdown --fix
  exit
fi
stage "C# format" csharp_format
stage "Lines in src" long_lines
stage "Shell scripts" shell_scripts
stage "Markdown" markdown
stage "Sentences" sentences
stage "Spelling" spelling
