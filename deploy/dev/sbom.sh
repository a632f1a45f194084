#!/usr/bin/env bash
# list what each image is made of, as CycloneDX: packages of NuGet, npm and Debian, and the .NET runtime.
#
# Usage: ./dev sbom [--output FOLDER]
#
#   --output FOLDER   where the files go (artifacts/sbom)
#
# Writes FOLDER/api.cdx.json, dashboard.cdx.json, workers.cdx.json and outside-world.cdx.json (CycloneDX 1.6, JSON).
# NuGet packages come from the restored projects by the tool CycloneDX (.config/dotnet-tools.json), as far as the image has files of them; npm
# packages from package-lock.json, Debian packages and the .NET runtime from the image itself. So the images have to be there: ./dev up builds them. Needs the .NET SDK and Node.js 20.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/sdk.sh
. deploy/machine/bench-tools.sh

folder=artifacts/sbom
while [ $# -gt 0 ]; do
  case $1 in
    --output) [ $# -gt 1 ] || fail "Expected a folder after --output, found nothing."; folder=$2; shift 2 ;;
    *) unknown_argument "--output FOLDER or nothing" "$1" ;;
  esac
done
export CI=true DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1

# IMAGE PROGRAM PROJECT, as the Dockerfile has them.
images="api Orders.Producer.Api src/Producer.Api/Producer.Api.csproj
dashboard Orders.Dashboard src/Dashboard/Dashboard.csproj
workers Orders.Workers src/Workers/Workers.csproj
outside-world Orders.OutsideWorld demo/OutsideWorld/OutsideWorld.csproj"
project=$(project_name)

check_images() {
  local image rest missing=()
  while read -r image rest; do docker image inspect "$project-$image" >/dev/null 2>&1 || missing+=("$project-$image"); done <<<"$images"
  [ ${#missing[@]} -eq 0 ] || fail "Expected the images of project '$project', found no ${missing[*]}." "Build them with ./dev up; COMPOSE_PROJECT_NAME names another installation."
}

prepare() {
  dotnet tool restore
  dotnet restore Orders.sln
  mkdir -p "$folder"
}

# in_image IMAGE COMMAND...: without a network, and nothing stays.
in_image() {
  local image=$1
  shift
  docker run --rm --network none --read-only --cap-drop ALL --entrypoint "$1" "$project-$image" "${@:2}"
}

list_image() {
  local image=$1 program=$2 path=$3 parts
  parts=$(mktemp -d)
  dotnet CycloneDX "$path" --disable-package-restore --framework net10.0 --runtime linux-x64 --spec-version 1.6 --output-format Json \
    --output "$parts" --filename nuget.json
  # shellcheck disable=SC2016 # dpkg's own variables
  in_image "$image" dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package}\n' >"$parts/debian.tsv"
  in_image "$image" dotnet --list-runtimes >"$parts/runtimes.txt"
  in_image "$image" cat /etc/os-release >"$parts/os-release"
  in_image "$image" cat "/app/$program.deps.json" >"$parts/deps.json"
  docker image inspect --format '{{.Id}}' "$project-$image" >"$parts/id"
  [ "$image" != dashboard ] || cp src/Dashboard/package-lock.json "$parts/npm.json"
  node deploy/container/sbom.mjs "$image" "$parts" >"$folder/$image.cdx.json"
  rm -rf "$parts"
  note "$(grep -c '"purl"' "$folder/$image.cdx.json") components"
}

stage "Docker engine" need_engine
stage ".NET SDK" ensure_sdk
stage "Node.js" ensure_node "deploy/container/sbom.mjs runs on it." "Install it: https://nodejs.org/en/download"
stage "Images" check_images
stage "Tools and packages" prepare
while read -r image program path; do stage "$image" list_image "$image" "$program" "$path"; done <<<"$images"
echo "Written: $folder/*.cdx.json"
