using System.Diagnostics;
using System.Globalization;
using Orders.Contracts;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// A worker process whose machine's clock is one hour off (deploy/chaos/clock.c in front of the C library). What it
/// plans falls due when it was planned to, by the database's clock.
/// </summary>
public sealed class ClockOffTests : InstallationFixture
{
    // The first redelivery of a mail is due after 2 s and up to 20 %, and a loaded machine takes its time.
    private static readonly TimeSpan LatestDue = TimeSpan.FromMinutes(10);

    private string _folder = null!;

    [OneTimeSetUp]
    public async Task BuildTheClockAsync()
    {
        _folder = Directory.CreateTempSubdirectory("clock").FullName;
        using var compiler = Process.Start(
            "cc",
            [
                "-shared",
                "-fPIC",
                "-O2",
                "-o",
                Path.Combine(_folder, "clock.so"),
                Path.Combine(WorkerProcess.RepositoryRoot, "deploy/chaos/clock.c"),
                "-ldl",
            ]
        );
        await compiler.WaitForExitAsync();
        Assert.That(compiler.ExitCode, Is.Zero, "the C compiler");
    }

    // What a program sees that is started as the worker is. The loader only warns when it cannot load the clock.
    private async Task<double> SecondsOffAsync(string file)
    {
        using var date = Process.Start(
            new ProcessStartInfo("date", "+%s")
            {
                RedirectStandardOutput = true,
                Environment = { ["LD_PRELOAD"] = Path.Combine(_folder, "clock.so"), ["CLOCK_FILE"] = file },
            }
        )!;
        var seen = long.Parse(await date.StandardOutput.ReadToEndAsync(), CultureInfo.InvariantCulture);
        await date.WaitForExitAsync();
        return (DateTimeOffset.FromUnixTimeSeconds(seen) - DateTimeOffset.UtcNow).TotalSeconds;
    }

    [OneTimeTearDown]
    public void RemoveTheClock() => Directory.Delete(_folder, recursive: true);

    [TestCase(3600)]
    [TestCase(-3600)]
    public async Task Its_retries_leases_and_deadlines_are_as_planned(int seconds)
    {
        var file = Path.Combine(_folder, seconds.ToString(CultureInfo.InvariantCulture));
        await File.WriteAllTextAsync(file, $"{seconds}");
        Assert.That(await SecondsOffAsync(file), Is.InRange(seconds - 60, seconds + 60), "the clock is off");
        World.Behaviour.Smtp.Set(new(SmtpMode.TempFail));
        var order = await TestSystem.StoreAsync(("MUG-BLUE", 1));
        await using var worker = await WorkerProcess.StartAsync(
            "Workers",
            TestSystem.Settings([
                .. Towards(World),
                ("Workers:Steps", "*"),
                ("LD_PRELOAD", Path.Combine(_folder, "clock.so")),
                ("CLOCK_FILE", file),
            ])
        );
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        // Each failed attempt says when the next one follows: not in the past, which would be a retry at once, and not
        // an hour away.
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "step_attempts where subject_id = $1 and step = 'email' and next_at is not null",
                    order
                ),
            Is.Positive,
            "failed attempts on the mail",
            TimeSpan.FromMinutes(1)
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<TimeSpan>(
                "select min(next_at) - now() from step_attempts where subject_id = $1 and step = 'email'",
                order
            ),
            Is.InRange(-LatestDue, LatestDue),
            $"the next attempt, from now on; the worker's log:\n{worker}"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "outbox where due_at not between now() - interval '10 minutes' and now() + interval '10 minutes'"
            ),
            Is.Zero,
            "rows that are due at another time"
        );
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(order, "email"),
            Is.EqualTo(StepStatus.Done),
            $"status of the mail in the end; the worker's log:\n{worker}",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select extract(epoch from now() - started_at)::int, extract(epoch from now() - finished_at)::int from step_runs where subject_id = $1 and step = 'email'",
                order
            ),
            Has.One.Matches<object?[]>(r => (int)r[0]! is >= 0 and < 600 && (int)r[1]! is >= 0 and < 600),
            "when the step began and ended, seconds ago"
        );
    }
}
