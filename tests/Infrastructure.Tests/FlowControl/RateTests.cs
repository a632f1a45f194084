using System.Diagnostics;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>A rate holds over all replicas, uses up no attempt, and is changed while the step runs.</summary>
public sealed class RateTests : WithReplicas
{
    private static readonly RateLimit Limit = RateLimit.PerMinute(600);
    private static readonly TimeSpan HeldUp = TimeSpan.FromSeconds(3);
    private static readonly bool Full = Environment.GetEnvironmentVariable("ORDERS_SHOW") == "full";

    [Test]
    public async Task Four_replicas_together_keep_the_limit_and_use_it_until_it_is_lifted()
    {
        await StartAsync(4, "hurried", (_, _) => Task.CompletedTask, policy => policy with { Rates = [Limit] });
        await DeliverAsync("hurried", 300);
        // Eight seconds; permits that a busy machine does not use in time are lost.
        await Eventually.That(() => Begun.Count, Is.GreaterThan(80), "runs begun", TimeSpan.FromSeconds(60));
        await NeverBeforeItsPermitAsync(Limit, Begun.Select(b => b.At));

        await Controls.SetRatesAsync("hurried", "", Because("the test has seen enough"));
        await UntilDoneAsync("hurried", 300);
        Assert.That(Begun, Has.Count.EqualTo(300), "runs: none was begun twice");
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "attempts used up by waiting"
        );
    }

    /// <summary>
    /// The classic hundred a minute, seen for four minutes with <c>ORDERS_SHOW=full</c>; else at the same pace for one
    /// short window. Runs that a busy machine holds up begin together afterwards, and permits that it does not use in
    /// time are lost: only in full, on a quiet machine, is the upper bound exact, and is there a lower one.
    /// </summary>
    [Test]
    public async Task Every_sliding_window_has_at_most_the_limit_and_one_bundle_and_hardly_less()
    {
        var limit = Full ? RateLimit.PerMinute(100) : new RateLimit(25, TimeSpan.FromSeconds(15));
        var watched = Full ? limit.Window * 4 : limit.Window + TimeSpan.FromSeconds(3);
        await StartAsync(4, "hurried", (_, _) => Task.CompletedTask, policy => policy with { Rates = [limit] });
        using var enough = new CancellationTokenSource();
        var machine = LongestHoldUpAsync(enough.Token);
        var delivered = await DeliverAsync("hurried", (int)(watched / limit.Interval) + 100);
        await Eventually.That(() => Begun.Count, Is.Positive, "runs begun");
        var first = Begun.Min(b => b.At);
        await Eventually.That(
            () => DateTimeOffset.UtcNow - first,
            Is.GreaterThan(watched),
            "time since the first run",
            watched + TimeSpan.FromSeconds(30)
        );

        await enough.CancelAsync();
        var heldUp = HeldUp + await machine;
        var begun = Begun.Select(b => b.At).Order().ToArray();
        var windows = begun
            .Select((at, i) => (At: at, Runs: begun.Skip(i).TakeWhile(b => b < at + limit.Window).Count()))
            .ToArray();
        var full = windows.Where(w => w.At + limit.Window <= begun[^1]).ToArray();
        await TestContext.Progress.WriteLineAsync(
            $"{limit} with 4 replicas for {watched.TotalSeconds:0} s: {begun.Length} runs; {full.Length} full sliding windows with {full.Select(w => w.Runs).DefaultIfEmpty().Min()} to {windows.Max(w => w.Runs)} runs; a bundle is {limit.Bundle}; runs may be held up for {heldUp.TotalSeconds:0.0} s"
        );
        Assert.That(
            windows.Max(w => w.Runs),
            Is.LessThanOrEqualTo(limit.Permits + limit.Bundle + (Full ? 0 : heldUp / limit.Interval)),
            "most runs in a sliding window"
        );
        await NeverBeforeItsPermitAsync(limit, begun);
        if (Full)
            Assert.That(
                full.Min(w => w.Runs),
                Is.GreaterThanOrEqualTo(0.95 * limit.Permits),
                "fewest runs in a full sliding window"
            );

        await Controls.SetRatesAsync("hurried", "", Because("the test has seen enough"));
        await UntilDoneAsync("hurried", delivered.Length);
        Assert.That(Begun, Has.Count.EqualTo(delivered.Length), "runs: none was begun twice");
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "attempts used up by waiting"
        );
    }

    // What a run needs between its permit and its beginning: a timer, a thread and the database.
    private async Task<TimeSpan> LongestHoldUpAsync(CancellationToken enough)
    {
        var longest = TimeSpan.Zero;
        while (!enough.IsCancellationRequested)
        {
            var begun = Stopwatch.GetTimestamp();
            await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            await TestSystem.Database.ScalarAsync<int>("select 1");
            var took = Stopwatch.GetElapsedTime(begun);
            longest = took > longest ? took : longest;
        }

        return longest;
    }

    [Test]
    public async Task A_rate_that_cannot_be_read_is_refused() =>
        await Assert.ThatAsync(
            () => Controls.SetRatesAsync("hurried", "many", Because("a test")),
            Throws.TypeOf<FormatException>()
        );
}
