# Sourced: the .NET SDK that global.json asks for. Needed for tests; the images bring their own.

ensure_sdk() {
  local version
  if version=$(dotnet --version 2>/dev/null); then note "$version"; return; fi
  if on_debian_as_root; then
    apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1 || apt-get -qq update || true
    if apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1; then
      install_packages dotnet-sdk-10.0
      note "installed, $(dotnet --version)"
      return
    fi
  fi
  fail "Expected the .NET SDK 10.0 (global.json), found ${version:-none}." "Install it: https://dotnet.microsoft.com/download/dotnet/10.0"
}
