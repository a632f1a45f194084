#!/usr/bin/env bash
# regenerate every picture in docs/images from one scripted shop.
#
# Usage: ./dev screenshots [FOLDER]
#
#   FOLDER   where the pictures are written (docs/images)
#
# Plays one day of a shop on a system of its own and takes every page with Chromium, in light, in dark and on a phone (ScreenshotTests).
# FOLDER/invoices gets an invoice of each script (InvoiceScriptTests).
# Takes about five minutes. Needs the .NET SDK, a Docker engine, Chromium, pdftoppm and the fonts of the tests.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/sdk.sh
. deploy/machine/fonts.sh
. deploy/machine/browser.sh

[ $# -le 1 ] || unknown_argument "one folder" "$2"
folder=${1:-docs/images}
[[ $folder != -* ]] || unknown_argument "a folder" "$folder"
mkdir -p "$folder/invoices"
export CI=true DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1

take() {
  ORDERS_TEST_PICTURES=$(cd "$folder" && pwd) dotnet test tests/Dashboard.Tests --no-build --filter 'FullyQualifiedName~ScreenshotTests' --logger 'console;verbosity=minimal'
  local picture old=''
  # A picture that was not written is none of this shop.
  for picture in "$folder"/*.{png,webp}; do [ ! -e "$picture" ] || [ "$picture" -nt "$began" ] || old+=" $picture"; done
  [ -z "$old" ] || fail "Pictures that no scripted shop writes:$old." "Remove them, or take them in tests/Dashboard.Tests/Pictures/ScreenshotTests.cs."
  note "$(find "$folder" -maxdepth 1 -name '*.webp' | wc -l | tr -d ' ') pictures in $folder"
}

# Written first and compared afterwards: the first run may find other pictures, or none.
take_invoices() {
  local tests=(dotnet test tests/Workers.Tests --no-build --filter 'FullyQualifiedName~InvoiceScriptTests' --logger 'console;verbosity=minimal')
  ORDERS_TEST_PICTURES=$(cd "$folder/invoices" && pwd) "${tests[@]}" || "${tests[@]}"
  note "$(find "$folder/invoices" -name '*.png' | wc -l | tr -d ' ') pictures in $folder/invoices"
}

began=$(mktemp)
at_exit "rm -f '$began'"
stage "Docker engine" ensure_engine
stage "Images" ensure_images "$broker_image" "$database_image"
stage "Fonts" ensure_fonts
stage "Chromium" ensure_chromium
stage ".NET SDK" ensure_sdk
stage "Building" dotnet build tests/Dashboard.Tests -v:quiet
stage "Building the invoice's tests" dotnet build tests/Workers.Tests -v:quiet
testcontainers_settings
stage "Taking the invoices" take_invoices
stage "Taking the pictures" take
