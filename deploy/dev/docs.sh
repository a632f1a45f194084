#!/usr/bin/env bash
# write the generated parts of the docs: settings, steps, log events, metrics, commands.
#
# Usage: ./dev docs
#
# Writes what stands between "<!-- generated: NAME; ./dev docs -->" and "<!-- /generated -->" in docs/*.md and README.md.
# The sources are the options classes and their XML docs, the catalogue of steps, the log messages, the instruments, docker-compose.yml
# and the beginnings of deploy/dev/*.sh. The same test compares these parts whenever the tests run.
# Needs the .NET SDK. Ends with the pages that changed.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/sdk.sh

[ $# -eq 0 ] || fail "Expected no argument, found '$1'. See ./dev docs --help."
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1
project=tests/Architecture.Tests

build() { dotnet build "$project" --nologo -v:quiet; }

write() { ORDERS_DOCS_WRITE=yes dotnet test "$project" --no-build --nologo -v:quiet --filter "FullyQualifiedName~GeneratedPartTests"; }

sums() { find docs README.md -name '*.md' -exec cksum {} + | sort -k3; }

stage ".NET SDK" ensure_sdk
stage "Building" build
before=$(sums)
stage "Writing" write
changed=$(comm -13 <(echo "$before" | sort) <(sums | sort) | cut -d' ' -f3)
if [ -n "$changed" ]; then
  echo "Changed:" $changed
else
  echo "All generated parts are as they should be."
fi
