#!/usr/bin/env bash
# measure what an order costs, beside other systems on this machine.
#
# Usage: ./dev bench [OPTION VALUE ...]
#
#   --against A,B,…   Orders and these, alternating; `bullmq` means both of its variants (default: all systems)
#   --systems A,B,…   exactly these: orders, bullmq-one, bullmq-four, masstransit-plain
#   --orders N        measured orders per round (4000)
#   --warmup N        orders before each measurement (4500; with fewer it measures the JIT compiler)
#   --rounds N        rounds, the systems alternating (3); the table shows medians
#   --clients N       keep-alive connections (32)
#   --rate N          orders per second of the open loop (200)
#   --seed N          which orders (1)
#   --relay           only the relay, on a full outbox: rows per second and CPU per row; --rows N (200000)
#   --growth          only Orders, in one installation that grows: --waiting N messages in the outbox (1000000), --finished N orders (5000000),
#                     --backlog N orders posted while no worker runs (100000). Takes half an hour.
#   --micro [ARGS]    the pieces of the hot path by BenchmarkDotNet; ARGS go to it, such as --filter '*Relay*'
#   --json FILE       write every figure there
#   --doc FILE        replace the table in that Markdown file, between its bench marks
#
# A round takes about half a minute per system. Ends with an error when an effect is missing or there twice. What the figures mean:
# docs/performance.md. Needs the .NET SDK and a Docker engine on this machine; for BullMQ also Node.js 20 and redis-server.
set -euo pipefail
. deploy/machine/stages.sh
. deploy/machine/apt.sh
. deploy/machine/engine.sh
. deploy/machine/images.sh
. deploy/machine/sdk.sh
. deploy/machine/bench-tools.sh

micro=false
if [ "${1:-}" = --micro ]; then
  micro=true
  shift
else
  know_options "$@"
fi

export BENCH_WORK=$PWD/artifacts/bench BENCH_BULLMQ=$PWD/bench/BullMq DOTNET_NOLOGO=true DOTNET_CLI_TELEMETRY_OPTOUT=1
mkdir -p "$BENCH_WORK"

publish() { dotnet publish "$1" --configuration Release --output "$BENCH_WORK/$2" -v:quiet; }

# Does the command line name this system, or does it name no systems at all?
with() { local system=$1; shift; [[ ! " $* " =~ \ --(relay|growth)\  ]] && [[ ! " $* " =~ \ --(systems|against)\  || " $* " == *"$system"* ]]; }

stage "Docker engine" ensure_engine
stage "Images" ensure_images "$broker_image" "$database_image"
stage ".NET SDK" ensure_sdk
if $micro; then
  stage "Building the benchmarks" dotnet build bench/Micro --configuration Release -v:quiet
  exec dotnet bench/Micro/bin/Release/net10.0/Orders.Bench.Micro.dll "$@"
fi
if with bullmq "$@"; then
  stage "Node.js" ensure_node "BullMQ runs on it." "Install it, or leave BullMQ out: ./dev bench --help."
  stage "Redis" ensure_redis
  stage "BullMQ" ensure_npm_packages bench/BullMq
fi
stage "Building the API" publish src/Producer.Api orders-api
stage "Building the steps" publish bench/LightSteps orders-steps
! with masstransit "$@" || stage "Building MassTransit's" publish bench/MassTransitPlain masstransit-plain
stage "Building the load program" publish bench/Load load
exec dotnet "$BENCH_WORK/load/Orders.Bench.Load.dll" "$@"
