#!/usr/bin/env bash
# make the NuGet package of the framework, and its symbols.
#
# Usage: ./dev pack [--output FOLDER]
#
#   --output FOLDER   where the files go (artifacts/packages)
#
# Writes FOLDER/QueueWorkers.VERSION.nupkg and .snupkg. The version comes from the last tag (v1.2.3) and the commits since, so the whole
# history has to be there. Needs the .NET SDK. docs/framework/getting-started.md says how an application uses the package.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/sdk.sh

folder=artifacts/packages
while [ $# -gt 0 ]; do
  case $1 in
    --output) [ $# -ge 2 ] || fail "Expected a folder after --output, found nothing."; folder=$2; shift 2 ;;
    *) unknown_argument "--output FOLDER" "$1" ;;
  esac
done
export DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1

pack() { dotnet pack src/Infrastructure/QueueWorkers -c Release -p:ForPackage=true -o "$folder" --nologo -v:quiet; }

stage ".NET SDK" ensure_sdk
stage "Packing" pack
# shellcheck disable=SC2012 # names without spaces
ls -t "$folder"/QueueWorkers.*nupkg | head -n 2
