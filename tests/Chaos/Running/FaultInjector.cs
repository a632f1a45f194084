using System.Collections.Concurrent;
using System.Net.Http.Json;
using Npgsql;
using Orders.Chaos.Checking;
using Orders.Chaos.Collecting;
using Orders.Chaos.Planning;

namespace Orders.Chaos.Running;

/// <summary>Does to the installation what a plan says, and undoes it.</summary>
public sealed class FaultInjector(Installation installation)
{
    private const string Watermark = "0.6";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);

    // A plan leaves room between two faults of one target; on a slow machine the first may still be at it. A dead
    // container cannot be killed.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _busy = new();
    private readonly ConcurrentQueue<WorkerStop> _stops = new();
    private readonly Logins _logins = new(installation.Maintenance, installation.Management, "orders");
    private readonly Replicas _replicas = new(installation);
    private readonly WorkerClocks _clocks = new(installation.Clocks);
    private readonly Answers _answers = new(installation);
    private readonly QueuePolicies _policies = new(installation.Management);
    private readonly ContainerNetworks _networks = new();

    /// <summary>How the workers ended that rolling restarts have asked to.</summary>
    public IReadOnlyList<WorkerStop> Stops => [.. _stops];

    /// <summary>
    /// Carries out a fault from its beginning to its end, when those that hit the same target have ended.
    /// </summary>
    /// <returns>
    /// When it was there, and when everything was back: for database and broker when they answer again, for others when
    /// they were started, thawed or put back.
    /// </returns>
    public async Task<FaultTimes> CarryOutAsync(PlannedFault fault, CancellationToken cancellationToken)
    {
        // Always in the same order: two faults can wait for each other, but never in a circle.
        var targets = fault.Targets.Order().Select(t => _busy.GetOrAdd(t, _ => new SemaphoreSlim(1, 1))).ToArray();
        foreach (var target in targets)
            await target.WaitAsync(cancellationToken);
        try
        {
            return await CarryOutNowAsync(fault, cancellationToken);
        }
        finally
        {
            foreach (var target in targets)
                target.Release();
        }
    }

    private async Task<FaultTimes> CarryOutNowAsync(PlannedFault fault, CancellationToken cancellationToken)
    {
        var containers = await ContainersAsync(fault);
        var injected = DateTimeOffset.UtcNow;
        switch (fault.Type.Kind)
        {
            case FaultKind.Kill:
                await EachAsync(containers, c => Docker.RunAsync("kill", c.Container));
                await Task.Delay(fault.Duration, cancellationToken);
                await EachAsync(containers, c => Docker.RunAsync("start", c.Container));
                break;
            case FaultKind.Freeze:
                await EachAsync(containers, c => Freezer.PauseAsync(c.Container, cancellationToken));
                await Task.Delay(fault.Duration, cancellationToken);
                await EachAsync(containers, c => Docker.RunAsync("unpause", c.Container));
                break;
            case FaultKind.Cut:
                await EachAsync(containers, c => _networks.DisconnectAsync(c.Container));
                await Task.Delay(fault.Duration, cancellationToken);
                await EachAsync(containers, c => _networks.ConnectAsync(c.Service, c.Container));
                break;
            case FaultKind.Restart:
                await EachAsync(containers, c => Docker.RunAsync("restart", "-t", "30", c.Container));
                break;
            case FaultKind.Roll:
                foreach (var (service, container) in containers)
                    _stops.Enqueue(await RollingRestart.RestartAsync(service, container, cancellationToken));
                break;
            case FaultKind.Terminate:
                await TerminateAsync(fault.Duration, cancellationToken);
                break;
            case FaultKind.Alarm:
                await Docker.RunAsync(
                    "exec",
                    containers[0].Container,
                    "rabbitmqctl",
                    "-q",
                    "set_vm_memory_high_watermark",
                    "absolute",
                    "1MB"
                );
                await Task.Delay(fault.Duration, cancellationToken);
                await Docker.RunAsync(
                    "exec",
                    containers[0].Container,
                    "rabbitmqctl",
                    "-q",
                    "set_vm_memory_high_watermark",
                    Watermark
                );
                break;
            case FaultKind.Misbehave or FaultKind.Redrive:
                await BehaveAsync(fault, fault.Mode, cancellationToken);
                await Task.Delay(fault.Duration, cancellationToken);
                await BehaveAsync(fault, "ok", cancellationToken);
                break;
            case FaultKind.DatabasePassword:
                await Answers.UntilAsync(
                    "PostgreSQL",
                    () => _logins.RotateAtDatabaseAsync(fault.Targets[0], cancellationToken),
                    cancellationToken
                );
                await Task.Delay(fault.Duration, cancellationToken);
                await Answers.UntilAsync(
                    "PostgreSQL",
                    () => _logins.RestoreAtDatabaseAsync(fault.Targets[0], cancellationToken),
                    cancellationToken
                );
                break;
            case FaultKind.DatabaseClosed:
                await Answers.UntilAsync(
                    "PostgreSQL",
                    () => _logins.CloseDatabaseAsync(cancellationToken),
                    cancellationToken
                );
                await Task.Delay(fault.Duration, cancellationToken);
                await Answers.UntilAsync(
                    "PostgreSQL",
                    () => _logins.OpenDatabaseAsync(cancellationToken),
                    cancellationToken
                );
                break;
            case FaultKind.BrokerPassword:
                await Answers.UntilAsync(
                    "the broker",
                    () => _logins.RotateAtBrokerAsync(fault.Targets[0], cancellationToken),
                    cancellationToken
                );
                await Task.Delay(fault.Duration, cancellationToken);
                await Answers.UntilAsync(
                    "the broker",
                    () => _logins.RestoreAtBrokerAsync(fault.Targets[0], cancellationToken),
                    cancellationToken
                );
                break;
            case FaultKind.DeleteQueue:
                await DeleteQueueAsync(fault, containers, cancellationToken);
                break;
            case FaultKind.ClockOff:
                await RestartAtAsync(fault.Mode == "an hour fast" ? OneHour : -OneHour);
                await Task.Delay(fault.Duration, cancellationToken);
                await RestartAtAsync(TimeSpan.Zero);
                break;
            case FaultKind.Policy:
                await Answers.UntilAsync(
                    "the broker",
                    () => _policies.SetAsync(fault.Targets[0], fault.Mode, cancellationToken),
                    cancellationToken
                );
                await Task.Delay(fault.Duration, cancellationToken);
                await Answers.UntilAsync(
                    "the broker",
                    () => _policies.RemoveAsync(fault.Targets[0], cancellationToken),
                    cancellationToken
                );
                break;
            case FaultKind.KillAfterClaim:
                await BehaveAsync("smtp", "slow", 1, cancellationToken);
                await UntilClaimedAsync(cancellationToken);
                await EachAsync(containers, c => Docker.RunAsync("kill", c.Container));
                await BehaveAsync("smtp", "ok", 1, cancellationToken);
                await Task.Delay(fault.Duration, cancellationToken);
                await EachAsync(containers, c => Docker.RunAsync("start", c.Container));
                break;
            case FaultKind.Failover:
                await EachAsync(containers, c => Docker.RunAsync("kill", c.Container));
                await Task.Delay(fault.Duration, cancellationToken);
                // Gone for good before the other one takes writes: a primary that comes back would take them too.
                await EachAsync(containers, c => Docker.RunAsync("rm", "--force", c.Container));
                await PromoteAsync();
                break;
            case FaultKind.Scale:
                await _replicas.ScaleOutAsync(fault.Targets[0], fault.Mode[0] - '0');
                await Task.Delay(fault.Duration, cancellationToken);
                foreach (var stop in await _replicas.ScaleInAsync(fault.Targets[0]))
                    _stops.Enqueue(stop);
                break;
            case FaultKind.Deploy:
                await DeployAsync();
                break;
            default:
                throw new InvalidOperationException($"Nobody knows how to carry out {fault.Type.Kind}.");
        }

        await _answers.UntilAnswerAsync(fault.Targets, cancellationToken);
        return new FaultTimes(fault, injected, DateTimeOffset.UtcNow);

        async Task RestartAtAsync(TimeSpan off)
        {
            foreach (var service in containers.Select(c => c.Service).Distinct())
                _clocks.Set(service, off);
            await EachAsync(containers, c => Docker.RunAsync("restart", "-t", "30", c.Container));
        }
    }

    /// <summary>
    /// Undoes whatever a broken-off fault may have left: additional, frozen, dead or cut-off containers, other
    /// passwords, a closed database, an alarm, policies, wrong clocks, a misbehaving world.
    /// </summary>
    public async Task HealAsync(CancellationToken cancellationToken)
    {
        await _replicas.HealAsync();
        var off = _clocks.Heal();
        foreach (var (service, container, state) in await installation.AllAsync())
        {
            if (service is "migrate" or "standby")
                continue;
            if (state == "paused")
                await Docker.RunAsync("unpause", container);
            else if (state != "running")
                await Docker.RunAsync("start", container);
            if (off.Contains(service))
                await Docker.RunAsync("restart", "-t", "30", container);
            await _networks.ConnectAsync(service, container);
        }

        // Only now that the broker runs and can be reached again.
        await Answers.UntilAsync("the broker", () => _policies.HealAsync(cancellationToken), cancellationToken);
        await Answers.UntilAsync(
            "PostgreSQL or the broker",
            () => _logins.HealAsync(cancellationToken),
            cancellationToken
        );
        await _answers.UntilAnswerAsync(["rabbitmq", "postgres", "smtp"], cancellationToken);
        using var answer = await installation.World.PutAsJsonAsync(
            "behaviour",
            new { smtp = new { mode = "ok" }, warehouse = new { mode = "ok" } },
            cancellationToken
        );
        answer.EnsureSuccessStatusCode();
    }

    private async Task<(string Service, string Container)[]> ContainersAsync(PlannedFault fault)
    {
        if (fault.IsOfTheWorld || fault.Type.Kind == FaultKind.Deploy)
            return [];
        var all = await installation.AllAsync();
        var hit = fault
            .Targets.SelectMany(t => all.Where(c => c.Service == t).Select(c => (c.Service, c.Container)))
            .ToArray();
        return hit.Length > 0
            ? hit
            : throw new InvalidOperationException($"No container of {fault.Type.Target} is there to be hit.");
    }

    // A container of its own, by the service that deploys at each `up`. It waits for database and broker, which another
    // fault may have at this moment.
    private static Task<string> DeployAsync() =>
        Docker.RunAsync("compose", "run", "--rm", "--no-deps", "--no-TTY", "migrate");

    private async Task PromoteAsync()
    {
        var standby = (await installation.AllAsync()).First(c => c.Service == Installation.Standby).Container;
        const string sql = "select pg_promote(true, 60)";
        if (await Docker.RunAsync("exec", standby, "psql", "-XAtU", "orders_owner", "orders", "-c", sql) != "t")
            throw new InvalidOperationException($"{standby} was not promoted within 60 s.");
    }

    private static Task EachAsync(
        (string Service, string Container)[] containers,
        Func<(string Service, string Container), Task> act
    ) => Task.WhenAll(containers.Select(act));

    private async Task DeleteQueueAsync(
        PlannedFault fault,
        (string Service, string Container)[] containers,
        CancellationToken cancellationToken
    )
    {
        var stopped = fault.Mode == "stopped" ? containers : [];
        var queue = $"api/queues/%2F/{fault.Targets[0]}";
        await EachAsync(stopped, c => Docker.RunAsync("stop", "-t", "30", c.Container));
        await Answers.UntilAsync(
            $"queue {fault.Targets[0]}",
            async () => (await installation.Management.DeleteAsync(queue, cancellationToken)).IsSuccessStatusCode,
            cancellationToken
        );
        await Task.Delay(fault.Duration, cancellationToken);
        await EachAsync(stopped, c => Docker.RunAsync("start", c.Container));
        await Answers.UntilAsync(
            $"queue {fault.Targets[0]}, which was deleted,",
            async () => (await installation.Management.GetAsync(queue, cancellationToken)).IsSuccessStatusCode,
            cancellationToken
        );
    }

    // Not only once: a pool that has just filled again is hit again.
    private async Task TerminateAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var until = DateTimeOffset.UtcNow + duration;
        do
        {
            try
            {
                await using var command = installation.Database.CreateCommand(
                    @"select pg_terminate_backend(pid) from pg_stat_activity where usename like 'orders\_%' and usename <> 'orders_owner'"
                );
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
            catch (NpgsqlException)
            {
                // Another fault has the server at this moment, which ends sessions more thoroughly than this one.
            }

            await Task.Delay(TimeSpan.FromSeconds(0.5), cancellationToken);
        } while (DateTimeOffset.UtcNow < until);
    }

    // Of a run that is not over. Where no order comes there is no claim to die after: then the worker dies at rest.
    private async Task UntilClaimedAsync(CancellationToken cancellationToken)
    {
        var deadline = DateTimeOffset.UtcNow + ClaimPatience;
        while (DateTimeOffset.UtcNow < deadline)
        {
            try
            {
                await using var command = installation.Database.CreateCommand(
                    $"""
                    select count(*) from effects where effect = 'email' and state = {StoredCodes.EffectPending}
                        and lease_until > now() and at > now() - interval '2 seconds'
                    """
                );
                if (await command.ExecuteScalarAsync(cancellationToken) is > 0L)
                    return;
            }
            catch (NpgsqlException)
            {
                // Another fault has the server at this moment.
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    private Task BehaveAsync(PlannedFault fault, string mode, CancellationToken cancellationToken) =>
        BehaveAsync(fault.Type.Target, mode, fault.Share, cancellationToken);

    private async Task BehaveAsync(string target, string mode, double share, CancellationToken cancellationToken)
    {
        var profile = new
        {
            mode,
            delayMs = mode == "slow" ? 3000 : 0,
            share = mode == "ok" ? 1 : share,
        };
        object body = target == "smtp" ? new { smtp = profile } : new { warehouse = profile };
        // The world may be down itself at this moment, by another fault; what it forgets by that it need not be told.
        await Answers.UntilAsync(
            "the outside world",
            async () =>
            {
                using var answer = await installation.World.PutAsJsonAsync("behaviour", body, cancellationToken);
                return answer.IsSuccessStatusCode;
            },
            cancellationToken
        );
    }
}

/// <summary>When a fault was there.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="Injected">When it began.</param>
/// <param name="Healed">When everything was back.</param>
public sealed record FaultTimes(PlannedFault Fault, DateTimeOffset Injected, DateTimeOffset Healed);
