# One file for all images; `docker build --target workers .` makes one of them. No "# syntax=" line: it would need a pull.

# What the dashboard's pages load in a browser: two npm packages. Apart, because nothing else needs npm, and a change of a source file does not fetch them again.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS browser
WORKDIR /browser
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends npm && rm -rf /var/lib/apt/lists/*
# The certificates this machine trusts, whatever npm was built with.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
COPY src/Dashboard/package.json src/Dashboard/package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /orders
# Locked restore: a package that differs from the lock files fails here. Only what restore reads is copied first, so that
# a change of a source file does not fetch packages again.
ENV CI=true DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY deploy/container/hosts.proj deploy/container/
COPY src/Contracts/*.csproj src/Contracts/packages.lock.json src/Contracts/
COPY src/Infrastructure/QueueWorkers/*.csproj src/Infrastructure/QueueWorkers/packages.lock.json src/Infrastructure/QueueWorkers/
COPY src/Infrastructure/Orders/*.csproj src/Infrastructure/Orders/packages.lock.json src/Infrastructure/Orders/
COPY src/Infrastructure/Smtp/*.csproj src/Infrastructure/Smtp/packages.lock.json src/Infrastructure/Smtp/
COPY src/Producer.Api/*.csproj src/Producer.Api/packages.lock.json src/Producer.Api/
COPY src/Dashboard/*.csproj src/Dashboard/packages.lock.json src/Dashboard/
COPY src/Workers/*.csproj src/Workers/packages.lock.json src/Workers/
COPY demo/OutsideWorld/*.csproj demo/OutsideWorld/packages.lock.json demo/OutsideWorld/
RUN dotnet msbuild deploy/container/hosts.proj -t:Restore -p:Configuration=Release -p:ForImage=true -v:minimal
# Analysers have had their say in the developer's build and in CI; here they would only double the time.
ARG PUBLISH="-p:Configuration=Release -p:ForImage=true -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false -m -v:minimal"
RUN dotnet msbuild deploy/container/hosts.proj -t:PublishPackages $PUBLISH
COPY . .
COPY --from=browser /browser/node_modules src/Dashboard/node_modules
# The commit of the sources, which the version of every program ends in: the dashboard marks by it when another build began to run. Declared last, so that it costs no layer before.
ARG REVISION=""
RUN dotnet msbuild deploy/container/hosts.proj -t:Publish $PUBLISH -p:SourceRevisionId=$REVISION

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS host
WORKDIR /app
COPY deploy/container/healthy /usr/local/bin/healthy
# /metrics has a port of its own, which compose does not publish.
ENV ASPNETCORE_HTTP_PORTS=8080 Metrics__Port=9464 DOTNET_CLI_TELEMETRY_OPTOUT=1 MASSTRANSIT_USAGE_TELEMETRY=false

# For the invoice: Noto fonts of every script, and FriBidi, which orders text from right to left. Of the packages' 145 MB only what an
# invoice draws with is unpacked: the upright fonts.
FROM host AS host-with-fonts
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      -o "Dpkg::Options::=--path-exclude=/usr/share/fonts/*/noto/*" \
      -o "Dpkg::Options::=--path-include=/usr/share/fonts/*/noto/NotoSans*-Regular.tt[fc]" \
      -o "Dpkg::Options::=--path-include=/usr/share/fonts/*/noto/NotoSerif*-Regular.ttf" \
      -o "Dpkg::Options::=--path-include=/usr/share/fonts/*/noto/NotoSans-Bold.ttf" \
      -o "Dpkg::Options::=--path-include=/usr/share/fonts/*/noto/NotoColorEmoji.ttf" \
      fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji libfribidi0 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

FROM host-with-fonts AS workers
COPY --from=build /orders/artifacts/Workers .
USER $APP_UID
ENTRYPOINT ["dotnet", "Orders.Workers.dll"]

FROM host AS outside-world
# The ledgers' directory exists with its owner in the image: a fresh named volume takes both over.
RUN install -d -o $APP_UID -g $APP_UID /ledgers
COPY --from=build /orders/artifacts/OutsideWorld .
USER $APP_UID
ENTRYPOINT ["dotnet", "Orders.OutsideWorld.dll"]

FROM host AS dashboard
COPY --from=build /orders/artifacts/Dashboard .
USER $APP_UID
ENTRYPOINT ["dotnet", "Orders.Dashboard.dll"]

FROM host AS api
COPY --from=build /orders/artifacts/Producer.Api .
USER $APP_UID
ENTRYPOINT ["dotnet", "Orders.Producer.Api.dll"]
