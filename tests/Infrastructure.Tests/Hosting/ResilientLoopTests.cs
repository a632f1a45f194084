using Npgsql;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>What a loop does after a fault of a run: an outage, a defect.</summary>
public sealed class ResilientLoopTests
{
    private static readonly NpgsqlException Outage = new("the database is away");
    private static readonly InvalidCastException Defect = new("a column that is null");

    [Test]
    public async Task An_outage_is_logged_once_and_the_loop_goes_on()
    {
        using var loop = new Loop(Outage, new TimeoutException(), Outage, null, null, Outage, null);
        await loop.RunToEndAsync();
        Assert.That(loop.Log, Is.EqualTo((string[])["NpgsqlException", "over", "NpgsqlException", "over"]));
    }

    [Test]
    public async Task The_wait_after_a_fault_grows_and_varies_by_a_fifth()
    {
        using var loop = new Loop(Defect, Defect, Defect, Defect, Defect) { Survives = true };
        await loop.RunToEndAsync();
        for (var fault = 0; fault < 5; fault++)
            Assert.That(
                loop.Waits[fault].TotalMilliseconds,
                Is.EqualTo(Math.Min(1 << fault, 8)).Within(20.1).Percent,
                $"wait {fault}"
            );
    }

    [Test]
    public async Task A_defect_ends_the_loop()
    {
        using var loop = new Loop(Outage, Defect, null);
        await loop.StartAsync(CancellationToken.None);
        await loop.ExecuteTask!.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.That(loop.ExecuteTask.Exception?.InnerException, Is.SameAs(Defect));
        Assert.That(loop.Log, Is.EqualTo((string[])["NpgsqlException"]), "the defect is left to LoopWatch");
    }

    [Test]
    public async Task A_loop_that_survives_defects_logs_each_also_during_an_outage()
    {
        using var loop = new Loop(Outage, Defect, Defect, Outage, null) { Survives = true };
        await loop.RunToEndAsync();
        Assert.That(
            loop.Log,
            Is.EqualTo((string[])["NpgsqlException", "InvalidCastException", "InvalidCastException", "over"])
        );
    }

    // One run for each fault, or for null; after them it only waits for its end.
    private sealed class Loop(params Exception?[] runs) : ResilientLoop(TimeProvider.System)
    {
        private readonly TaskCompletionSource _done = new();
        private int _run;

        public bool Survives { get; init; }

        public List<string> Log { get; } = [];

        public List<TimeSpan> Waits { get; } = [];

        protected override bool SurvivesDefects => Survives;

        public async Task RunToEndAsync()
        {
            await StartAsync(CancellationToken.None);
            await _done.Task.WaitAsync(TimeSpan.FromSeconds(20));
            await StopAsync(CancellationToken.None);
            Assert.That(ExecuteTask!.IsCompletedSuccessfully, "a loop that is asked to stop returns");
        }

        protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
        {
            if (_run == runs.Length)
            {
                _done.SetResult();
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return runs[_run++] is { } fault ? throw fault : TimeSpan.Zero;
        }

        protected override TimeSpan RetryAfter(int faults) =>
            Backoff(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(8), faults);

        protected override void LogFault(Exception fault, TimeSpan retryAfter)
        {
            Log.Add(fault.GetType().Name);
            Waits.Add(retryAfter);
        }

        protected override void LogRecovery() => Log.Add("over");
    }
}
