using System.Diagnostics;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Bulk;

/// <summary>
/// Bulk actions while dashboards are killed, while two of them run, and with ten thousand orders: totals are exact, and
/// no order is acted on twice.
/// </summary>
internal sealed class BulkCrashTests : BulkFixture
{
    private const int Killed = 300;
    private const int Many = 10_000;

    [Test, Order(1)]
    public async Task A_killed_dashboard_leaves_nothing_doubled_and_the_next_one_goes_on()
    {
        await OrdersAsync("killed", Killed);
        // From here on the dashboard of the fixture only answers questions: it would take the work over.
        await RestartDashboardAsync(("Redrive:Run", "false"));
        var rehearsal = await RehearseCancellingAsync("killed", perSecond: 10);
        await ConfirmAsync(rehearsal);
        foreach (var share in (double[])[0.05, 0.3])
        {
            using var process = StartDashboard();
            try
            {
                await Eventually.That(
                    async () => Number((await GetAsync(AddressOf(rehearsal), ViewerKey)).Body, "done"),
                    Is.GreaterThanOrEqualTo((int)(Killed * share)),
                    "cancelled orders",
                    TimeSpan.FromMinutes(3)
                );
            }
            finally
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
        }

        Assert.That(
            Number((await GetAsync(AddressOf(rehearsal), ViewerKey)).Body, "left"),
            Is.Positive,
            "the kills came in the middle"
        );
        // It was slow for the sake of the kills only.
        await TestSystem.Database.ExecuteAsync("update bulk_actions set per_second = 1000");
        await RestartDashboardAsync();
        var done = await UntilAsync(rehearsal, "Finished", TimeSpan.FromMinutes(3));
        Assert.That(Counts(done), Is.EqualTo((Killed, Killed, 0, 0, 0)), done.ToJsonString());
        Assert.That(await CancelledAsync("killed"), Is.EqualTo(Killed));
        Assert.That(await ToldAsync("killed"), Is.EqualTo((Killed, Killed)));
    }

    [Test, Order(2)]
    public async Task Two_dashboards_at_once_keep_the_rate_together_and_do_nothing_twice()
    {
        await OrdersAsync("both", Killed);
        await using var second = await DashboardHost.StartAsync(TestSystem, Settings);
        var rehearsal = await RehearseCancellingAsync("both", perSecond: 100);
        var began = Stopwatch.GetTimestamp();
        await ConfirmAsync(rehearsal);
        var done = await UntilAsync(rehearsal, "Finished", TimeSpan.FromMinutes(3));
        // A lower bound only: a busy machine is slower, and one rate for each of them would be faster.
        Assert.That(Stopwatch.GetElapsedTime(began), Is.GreaterThan(TimeSpan.FromSeconds((Killed / 100) - 1)));
        Assert.That(Counts(done), Is.EqualTo((Killed, Killed, 0, 0, 0)), done.ToJsonString());
        Assert.That(await ToldAsync("both"), Is.EqualTo((Killed, Killed)));
    }

    [Test, Order(3)]
    public async Task Ten_thousand_orders_are_rehearsed_by_one_statement_and_worked_off()
    {
        await TestSystem.Database.ExecuteAsync(
            "update step_catalogue set consumes = array['Orders.Contracts:OrderAccepted'] where step = 'hurried'"
        );
        await SampleData.OrdersAsync(TestSystem.Database, Many, "sample");
        var rehearsal = await RehearseAsync(
            new
            {
                kind = "replay-step",
                step = "hurried",
                filter = new { client = "demo" },
                perSecond = 1000,
            }
        );
        Assert.That(Number(rehearsal, "total"), Is.EqualTo(Many));
        Assert.That(rehearsal.ToJsonString(), Has.Length.LessThan(10_000), "the answer");
        await ConfirmAsync(rehearsal, "a new step");
        var done = await UntilAsync(rehearsal, "Finished", TimeSpan.FromMinutes(5));
        Assert.That(Counts(done), Is.EqualTo((Many, Many, 0, 0, 0)), done.ToJsonString());
        Assert.That(
            await TestSystem.Database.ScalarAsync<long>(
                "select count(distinct correlation_id) from outbox where exchange = 'hurried'"
            ),
            Is.EqualTo(Many)
        );
        Assert.That(await TestSystem.Database.CountAsync("outbox where exchange = 'hurried'"), Is.EqualTo(Many));
    }

    private Process StartDashboard()
    {
        var settings = TestSystem.Settings(
            Settings.Concat([
                ("urls", "http://127.0.0.1:0"),
                ("Logging:LogLevel:Default", "Warning"),
                ("Topology:Check", "false"),
            ])
        );
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = AppContext.BaseDirectory,
            ArgumentList = { "Orders.Dashboard.dll" },
        };
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        return Process.Start(start) ?? throw new InvalidOperationException("The dashboard did not start.");
    }
}
