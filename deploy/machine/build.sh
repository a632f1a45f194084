# Sourced after stages.sh, sdk.sh and browser.sh: builds the solution.

# CI=true: a restore that would change a lock file fails.
export CI=true DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1

build_solution() {
  stage ".NET SDK" ensure_sdk
  stage "npm" ensure_npm
  stage "Restoring" dotnet restore Orders.sln
  # With analyzers and code style; each finding is an error (Directory.Build.props).
  stage "Building" dotnet build Orders.sln --no-restore -v:quiet
}
