#!/usr/bin/env bash
# stand-ins.sh IMAGE...: images under the official names, made of Debian's packages, for a machine that reaches no registry. The viewer of traces
# is made of its NuGet package.
#
# They hold the same versions and obey the same settings as far as docker-compose.yml, the Dockerfile and the tests use them, and carry
# the label orders.stand-in=true: `docker images --filter label=orders.stand-in` lists them. Once a registry answers, remove them
# (docker rmi) and the next ./dev up pulls the real ones. Needs root on Debian, a Docker engine, and for the .NET images the .NET SDK.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/images.sh
. deploy/machine/prometheus.sh

label='LABEL orders.stand-in=true'
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Only to try this script beside images in use: `-trial` makes rabbitmq:4.3-management-trial.
suffix=${STAND_IN_SUFFIX:-}

# root_file_system PACKAGES [option of mmdebstrap ...]: a minimal system as tar on standard output.
# The address of this machine's mirror and the option for old suite files stay inside, so that `apt-get install` works in a Dockerfile.
root_file_system() {
  local packages=$1
  shift
  mmdebstrap --quiet --mode=root --variant=minbase --format=tar --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$@" "$suite" - "deb $mirror $suite main"
}

# the newest package whose name is $1 and digits: the native libraries of .NET change their names with each version.
newest() {
  local name
  name=$(in_suite apt-cache pkgnames "$1" | grep -E "^$1[0-9]+(t64)?$" | sort -V | tail -1)
  echo "${name:?no package $1 with a number in $suite}"
}

build_broker() {
  # Debian's /usr/sbin/rabbitmq-server hides standard output, hence the PATH; its rabbitmq-env.conf and a cookie made at
  # install time would be the same in every container, hence the removals.
  root_file_system rabbitmq-server,ca-certificates \
    --customize-hook='copy-in deploy/machine/stand-ins/rabbitmq/docker-entrypoint.sh /usr/local/bin' \
    --customize-hook='mkdir -p "$1/etc/rabbitmq/conf.d"' \
    --customize-hook='copy-in deploy/machine/stand-ins/rabbitmq/10-defaults.conf /etc/rabbitmq/conf.d' \
    --customize-hook='copy-in deploy/machine/stand-ins/rabbitmq/enabled_plugins /etc/rabbitmq' \
    --customize-hook='rm -f "$1/var/lib/rabbitmq/.erlang.cookie" "$1/etc/rabbitmq/rabbitmq-env.conf"' \
    --customize-hook='chown -R --reference="$1/var/lib/rabbitmq" "$1/etc/rabbitmq"' |
    docker import -c "$label" -c "ENV PATH=/usr/lib/rabbitmq/bin:$path LANG=C.UTF-8 HOME=/var/lib/rabbitmq RABBITMQ_DATA_DIR=/var/lib/rabbitmq" \
      -c 'VOLUME /var/lib/rabbitmq' -c 'EXPOSE 4369 5671 5672 15671 15672 15691 15692 25672' \
      -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["rabbitmq-server"]' - "$broker_image$suffix"
}

build_database() {
  # postgresql-common would create a database cluster while it is installed: switched off.
  root_file_system postgresql-18,ca-certificates \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='copy-in deploy/machine/stand-ins/postgres/docker-entrypoint.sh /usr/local/bin' \
    --customize-hook='mkdir -p "$1/docker-entrypoint-initdb.d"' \
    --customize-hook="sed -i \"s/^#*listen_addresses = .*/listen_addresses = '*'/\" \"\$1/usr/share/postgresql/18/postgresql.conf.sample\"" |
    docker import -c "$label" -c "ENV PATH=/usr/lib/postgresql/18/bin:$path LANG=C.UTF-8 PG_MAJOR=18 PGDATA=/var/lib/postgresql/18/docker" \
      -c 'VOLUME /var/lib/postgresql' -c 'EXPOSE 5432' \
      -c 'ENTRYPOINT ["docker-entrypoint.sh"]' -c 'CMD ["postgres"]' - "$database_image$suffix"
}

# The runtime is this machine's own; user 1654 is the official images' APP_UID.
build_runtime() {
  root_file_system "ca-certificates,tzdata,libc6,libgcc-s1,libstdc++6,$(newest libssl),$(newest libicu)" \
    --customize-hook="mkdir -p \"\$1/usr/share/dotnet\"; tar -C $dotnet_root -c dotnet host shared | tar -C \"\$1/usr/share/dotnet\" -x" \
    --customize-hook='ln -s /usr/share/dotnet/dotnet "$1/usr/bin/dotnet"' \
    --customize-hook='chroot "$1" useradd --uid 1654 --user-group --create-home app' |
    docker import -c "$label" -c "ENV PATH=$path APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true" \
      -c 'CMD ["/bin/bash"]' - "$runtime_image$suffix"
}

# On top of the runtime's image, and with this machine's own authorities: behind a proxy that inspects TLS a restore in a build would
# fail with UntrustedRoot. The context is streamed by tar (no second copy of half a gigabyte); the old builder reads it without a plugin.
build_sdk() {
  local context
  context=$(mktemp -d)
  mkdir "$context/authorities"
  cp /usr/local/share/ca-certificates/*.crt "$context/authorities/" 2>/dev/null || true
  cat >"$context/Dockerfile" <<DOCKERFILE
FROM $runtime_image$suffix
COPY dotnet /usr/share/dotnet/
COPY authorities /usr/local/share/ca-certificates/
RUN update-ca-certificates >/dev/null 2>&1
LABEL orders.stand-in=true
ENV ASPNETCORE_HTTP_PORTS= DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false NUGET_XMLDOC_MODE=skip NUGET_CERT_REVOCATION_MODE=offline
DOCKERFILE
  local parts=() part
  for part in sdk packs sdk-manifests templates metadata; do [ ! -e "$dotnet_root/$part" ] || parts+=("$part"); done
  tar -c -C "$context" Dockerfile authorities -C "$dotnet_root" --transform='s,^\(sdk\|packs\|sdk-manifests\|templates\|metadata\),dotnet/\1,' "${parts[@]}" |
    DOCKER_BUILDKIT=0 docker build -q -t "$sdk_image$suffix" -
  rm -rf "$context"
}

# build_on_runtime IMAGE FOLDER LINE...: the files of the folder on top of the runtime's image, with more lines of a Dockerfile.
# User 65534 is `nobody`, as in the official images of Prometheus; a fresh volume takes its folder's owner over.
build_on_runtime() {
  local image=$1 folder=$2
  shift 2
  { printf '%s\n' "FROM $runtime_image$suffix" 'COPY files /' 'LABEL orders.stand-in=true' 'ENV ASPNETCORE_HTTP_PORTS=' "$@"; } >"$folder/Dockerfile"
  tar -c -C "$folder" Dockerfile files | DOCKER_BUILDKIT=0 docker build -q -t "$image$suffix" -
  rm -rf "$folder"
}

build_prometheus() {
  local folder
  folder=$(mktemp -d)
  unpack_programs "$folder/unpacked" prometheus promtool
  mkdir -p "$folder/files/usr/bin"
  mv "$folder/unpacked/usr/bin/prometheus" "$folder/unpacked/usr/bin/promtool" "$folder/files/usr/bin/"
  build_on_runtime "$prometheus_image" "$folder" 'RUN install -d -o 65534 -g 65534 /prometheus' 'VOLUME /prometheus' 'USER 65534' 'EXPOSE 9090' 'ENTRYPOINT ["/usr/bin/prometheus"]'
}

build_alertmanager() {
  local folder
  folder=$(mktemp -d)
  unpack_programs "$folder/unpacked" prometheus-alertmanager
  mkdir -p "$folder/files/usr/bin" "$folder/files/usr/share"
  mv "$folder/unpacked/usr/bin/prometheus-alertmanager" "$folder/files/usr/bin/alertmanager"
  mv "$folder/unpacked/usr/bin/amtool" "$folder/files/usr/bin/"
  # Its templates. Debian has not its page: here it is asked by amtool, or by Prometheus' page of alerts.
  mv "$folder/unpacked/usr/share/prometheus" "$folder/files/usr/share/"
  build_on_runtime "$alertmanager_image" "$folder" 'RUN install -d -o 65534 -g 65534 /alertmanager' 'VOLUME /alertmanager' 'USER 65534' 'EXPOSE 9093' 'ENTRYPOINT ["/usr/bin/alertmanager"]'
}

# The program of Microsoft's NuGet package (MIT) is whole: it needs no runtime of .NET.
build_traces() {
  local folder package=Aspire.Dashboard.Sdk.linux-x64
  folder=$(mktemp -d)
  cat >"$folder/get.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="$package" Version="[$traces_package]" /></ItemGroup>
</Project>
PROJECT
  dotnet restore "$folder/get.csproj" --packages "$folder/packages"
  mkdir -p "$folder/files"
  mv "$folder/packages/$(tr '[:upper:]' '[:lower:]' <<<"$package")/$traces_package/tools" "$folder/files/app"
  chmod 755 "$folder/files/app/Aspire.Dashboard"
  build_on_runtime "$traces_image" "$folder" 'WORKDIR /app' 'USER 1654' 'EXPOSE 18888 18889 18890' 'ENTRYPOINT ["/app/Aspire.Dashboard"]'
}

wanted() { case " $images " in *" $1 "*) ;; *) return 1 ;; esac; }

needs_runtime() { wanted "$sdk_image" || wanted "$prometheus_image" || wanted "$alertmanager_image" || wanted "$traces_image"; }

# The version of the NuGet package that the tag of the viewer's image stands for.
traces_package=13.6.5

images=$*
for image in "$@"; do
  case $image in
    "$broker_image" | "$database_image" | "$runtime_image" | "$sdk_image" | "$prometheus_image" | "$alertmanager_image" | "$traces_image") ;;
    *) fail "Expected one of $broker_image, $database_image, $runtime_image, $sdk_image, $prometheus_image, $alertmanager_image, $traces_image; found $image, of which there is no stand-in." ;;
  esac
done
command -v mmdebstrap >/dev/null || install_packages mmdebstrap
mirror=$(debian_mirror)
if wanted "$runtime_image" || needs_runtime; then
  command -v dotnet >/dev/null || { . deploy/machine/sdk.sh; ensure_sdk; }
  dotnet_root=$(dirname "$(readlink -f "$(command -v dotnet)")")
  in_suite apt-get update
fi

# Two lanes, for two cores: unpacking packages keeps one busy. Each lane ends at its first failure.
(if wanted "$broker_image"; then build_broker; fi; if wanted "$database_image"; then build_database; fi) &
servers=$!
(
  # All others are made on top of the runtime's.
  if wanted "$runtime_image" || { needs_runtime && ! docker image inspect "$runtime_image$suffix" >/dev/null 2>&1; }; then build_runtime; fi
  if wanted "$sdk_image"; then build_sdk; fi
  if wanted "$prometheus_image"; then build_prometheus; fi
  if wanted "$alertmanager_image"; then build_alertmanager; fi
  if wanted "$traces_image"; then build_traces; fi
) &
dotnets=$!
status=0
wait "$servers" || status=1
wait "$dotnets" || status=1
# The stage that called this shows the errors of the log.
[ "$status" -eq 0 ] || { echo "error: a stand-in image could not be built from Debian's packages." >&2; exit 1; }
