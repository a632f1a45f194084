#!/usr/bin/env bash
# ask the package sources for published vulnerabilities of the packages in use.
#
# Usage: ./dev advisories
#
# NuGet is asked at each restore, and a finding ends the build (Directory.Build.props). npm is asked here, for each package-lock.json; a finding
# ends this command. A source that serves no vulnerability data, such as a mirror, is named as "not checked". With AuditRequired=true, as on
# GitHub, that ends the command too, and every restore.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/sdk.sh
. deploy/machine/browser.sh

[ $# -eq 0 ] || fail "Expected no argument, found '$1'. See ./dev $this_command --help."

# not_checked SENTENCE
not_checked() {
  [ "${AuditRequired:-}" != true ] || fail "$1" "AuditRequired=true asks for a source that serves them."
  note "not checked: $1"
}

sources() { dotnet nuget list source --format short | awk '$1 ~ /^E/ { print $2 }' | grep '^https\?://' || true; }

ask_nuget() {
  local source found=''
  for source in $(sources); do
    [[ $(curl -fsS --compressed --max-time 30 "$source" || true) == *'"VulnerabilityInfo'* ]] || continue
    found+=" $source"
  done
  if [ -n "$found" ]; then note "asked at each restore"; else not_checked "no NuGet source serves vulnerability data"; fi
}

# A lock file's answer is a report; what is no report is no finding.
ask_npm() {
  local report
  report=$(cd "$1" && npm audit --package-lock-only --json 2>&1) && { note "none"; return; }
  case $report in
    *'"auditReportVersion"'*) fail "$(cd "$1" && npm audit --package-lock-only 2>&1 | shortened 12)" "npm found published vulnerabilities in $1/package-lock.json. Update the packages." ;;
    *) not_checked "npm's registry answers no audit ($(printf '%s' "$report" | grep -o -m 1 '"summary": *"[^"]*"\|[0-9]\{3\} [A-Z][A-Za-z ]*' | head -n 1))" ;;
  esac
}

stage ".NET SDK" ensure_sdk
stage "npm" ensure_npm
stage "NuGet" ask_nuget
for lock in src/Dashboard deploy/lint bench/BullMq; do stage "npm, $lock" ask_npm "$lock"; done
