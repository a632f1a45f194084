// The hot path's pieces, one by one. Run by ./dev bench --micro; arguments go to BenchmarkDotNet
// (`--filter '*Relay*'`).
using BenchmarkDotNet.Running;
using Orders.Bench.Micro;

await using var place = await Place.OpenAsync(CancellationToken.None);
BenchmarkSwitcher
    .FromAssembly(typeof(Place).Assembly)
    .Run(args.Length > 0 ? args : ["--filter", "*"], new MicroConfig());
return 0;
