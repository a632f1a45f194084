using System.Collections.Concurrent;
using System.Diagnostics;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Collecting;
using Orders.Chaos.Planning;
using Orders.Chaos.Reporting;

namespace Orders.Chaos.Running;

/// <summary>
/// One run: the plan is written down, orders come, faults happen, everything is healed, the system comes to rest, and
/// the checker looks at what is left. What is dead-lettered then, operators redrive until nothing is, and the checker
/// looks again.
/// </summary>
public sealed class ChaosRun(Installation installation, ChaosOptions options, Action<string> progress)
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(90);

    /// <summary>Runs it.</summary>
    public async Task<Report> RunAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var scenario = Scenarios.Of(options);
        Directory.CreateDirectory(options.Folder);
        await File.WriteAllTextAsync(
            Path.Combine(options.Folder, "plan.txt"),
            $"{scenario.Plan}{Environment.NewLine}",
            cancellationToken
        );
        progress(
            $"{scenario.Orders} orders at {scenario.Rate:0.#} a second, {scenario.Plan.Faults.Count} faults, seed {options.Seed}; plan, history and report in {options.Folder}"
        );

        await using var history = new History(Path.Combine(options.Folder, "history.jsonl"));
        using var desk = new ChaosOperatorClient(
            installation.Dashboard,
            installation.OperatorKey,
            Path.Combine(options.Folder, "operators.jsonl")
        );
        var broker = new BrokerEvidence(installation.Management, "/");
        var injector = new FaultInjector(installation);
        var operators = new Operators(desk, installation.Database, TimeSpan.FromSeconds(1));
        var sampler = new Sampler(installation);
        using var sampling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var samples = scenario.MustStayFlat ? sampler.RunAsync(sampling.Token) : Task.CompletedTask;

        IReadOnlyList<FaultTimes> faults;
        var redrives = new ConcurrentBag<Task>();
        using (var client = new ChaosShopClient(installation.Api, installation.ApiKey, history, ClientPatience))
        {
            var orders = OpenLoop.RunAsync(
                new OrderRegistry(options.Seed),
                scenario.Orders,
                scenario.Rate,
                client,
                cancellationToken
            );
            try
            {
                faults = await BreakAsync(
                    scenario.Plan,
                    injector,
                    (fault, carriedOut) =>
                        redrives.Add(operators.RedriveAsync(fault, carriedOut, DrainPatience, cancellationToken)),
                    cancellationToken
                );
            }
            finally
            {
                await injector.HealAsync(CancellationToken.None);
            }

            progress("healed; the last orders are coming in");
            await orders;
        }

        progress("draining");
        var draining = Stopwatch.StartNew();
        await Task.WhenAll(redrives);
        var (followed, rest) = (draining.Elapsed, new Rest(new MovingEvidence(installation.Database), broker));
        var (rested, moving) = await rest.WaitAsync(DrainPatience, LongestDrain, cancellationToken);
        Name(moving);
        var drained = followed + rested;
        await sampling.CancelAsync();
        await samples;

        var collector = new Collector(
            new DatabaseEvidence(installation.Database),
            new WorldEvidence(installation.World),
            broker,
            new RedriveEvidence(installation.Database, desk)
        );
        async Task<Evidence> ReadAsync() =>
            await collector.ReadAsync(history.Events, cancellationToken: cancellationToken) with
            {
                Stops = injector.Stops,
            };
        var (findings, evidence, cleared, movingAfter) = await CheckAsync(
            operators,
            rest,
            ReadAsync,
            cancellationToken
        );
        var recoveries = await new RecoveryReader(installation.Database, history.Events).ReadAsync(
            faults,
            cancellationToken
        );
        return new Report(
            options,
            scenario,
            history.Events,
            recoveries,
            findings,
            drained,
            sampler.Samples,
            watch.Elapsed
        )
        {
            Moving = moving,
            MovingAfterRedrives = movingAfter,
            Operations = new Operations(
                evidence.Stops,
                [.. evidence.Redrives.Select(r => r.Totals)],
                desk.Calls,
                cleared
            ),
        };
    }

    // What is dead-lettered is looked at where it stands, and then sent again: it has to come to its end as well.
    private async Task<(
        Findings Findings,
        Evidence Evidence,
        TimeSpan? Cleared,
        IReadOnlyList<MovingPart> Moving
    )> CheckAsync(Operators operators, Rest rest, Func<Task<Evidence>> readAsync, CancellationToken cancellationToken)
    {
        Findings? before = null;
        if ((await operators.DeadLetteredAsync(cancellationToken)).DeadLettered is > 0 and var deadLettered)
        {
            progress($"checking, with {deadLettered} dead-lettered");
            before = Checker.Check(await readAsync());
        }

        progress("redriving what is dead-lettered");
        var cleared = await operators.RedriveAllAsync(DrainPatience, cancellationToken);
        IReadOnlyList<MovingPart> moving = [];
        if (before is not null)
            (_, moving) = await rest.WaitAsync(DrainPatience, LongestDrain, cancellationToken);
        Name(moving);

        progress("checking");
        var evidence = await readAsync() with { AllRedriven = true };
        var findings = Checker.Check(evidence);
        return (before is null ? findings : findings.And(before), evidence, cleared, moving);
    }

    private void Name(IReadOnlyList<MovingPart> moving)
    {
        if (moving.Count > 0)
            progress($"not at rest, this still moves:{Environment.NewLine}{MovingPart.TextOf(moving)}".TrimEnd());
    }

    private async Task<IReadOnlyList<FaultTimes>> BreakAsync(
        Plan plan,
        FaultInjector injector,
        Action<PlannedFault, Task> deadLetters,
        CancellationToken cancellationToken
    )
    {
        var start = Stopwatch.GetTimestamp();
        return await Task.WhenAll(
            plan.Faults.Select(async fault =>
            {
                var wait = fault.At - Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, cancellationToken);
                progress(fault.ToString());
                var carriedOut = injector.CarryOutAsync(fault, cancellationToken);
                if (fault.Redrive is not null)
                    deadLetters(fault, carriedOut);
                return await carriedOut;
            })
        );
    }
}
