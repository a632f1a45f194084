using System.Diagnostics;
using System.Globalization;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// The process that redrives is killed again and again: twice in the gate, four times by <c>./dev verify</c>, there with
/// as many messages as ORDERS_SHOW_REDRIVE says (1,000; 10,000 in full).
/// </summary>
[TestFixture(300, new[] { 0.02, 0.4 })]
[TestFixture(0, new[] { 0.02, 0.2, 0.4, 0.6 }, Category = "Long")]
internal sealed class RedriveCrashTests(int count, double[] killedAt) : ShopFixture
{
    private readonly int _count =
        count > 0
            ? count
            : int.Parse(
                Environment.GetEnvironmentVariable("ORDERS_SHOW_REDRIVE") ?? "1000",
                CultureInfo.InvariantCulture
            );

    [Test]
    public async Task Goes_on_where_it_stood_with_exact_totals_and_no_effect_twice()
    {
        var orders = await OrdersAsync(_count);
        var ids = await TestSystem.StoreAsync(orders);
        await DeadLetterAsync(ids);
        await UntilFailuresAsync(FailureState.Failed, _count, TimeSpan.FromMinutes(2));

        // From here on the dashboard of the fixture only answers questions: it would take the work over.
        await RestartDashboardAsync(("Outbox:Relay", "false"), ("Redrive:Run", "false"), ("Failures:Index", "false"));
        await using var host = await WorkAsync("email");
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "The disk is back.",
                start = true,
                ratePerSecond = _count / 30,
                expect = _count,
            }
        );
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        var redrive = $"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}";

        foreach (var share in killedAt)
        {
            using var process = StartDashboard();
            try
            {
                await Eventually.That(
                    async () => await SettledAsync(redrive),
                    Is.GreaterThanOrEqualTo((int)(_count * share)),
                    "messages settled",
                    TimeSpan.FromMinutes(2)
                );
            }
            finally
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
        }

        var killed = await SettledAsync(redrive);
        Assert.That(
            killed,
            Is.LessThan(_count),
            "messages settled when the last process was killed: the kills came in the middle"
        );
        // It was slow for the sake of the kills only.
        await TestSystem.Database.ExecuteAsync("update redrives set rate_per_second = 1000");
        await RestartDashboardAsync();
        var done = await UntilDoneAsync(redrive, TimeSpan.FromMinutes(4));
        Assert.That(
            (
                done["done"]!.GetValue<int>(),
                done["failedAgain"]!.GetValue<int>(),
                done["skipped"]!.GetValue<int>(),
                done["waiting"]!.GetValue<int>(),
                done["sent"]!.GetValue<int>()
            ),
            Is.EqualTo((_count, 0, 0, 0, 0)),
            done.ToJsonString()
        );
        Assert.That(
            await TestSystem.Database.CountAsync($"effects where effect = 'email' and state = {EffectState.Done:D}"),
            Is.EqualTo(_count),
            "effects"
        );
        Assert.That(
            await MailsAsync(),
            Is.EquivalentTo(orders.ToDictionary(o => o.CustomerEmail, _ => 1)),
            "mails by customer"
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.Zero,
            "messages in email_error",
            TimeSpan.FromMinutes(1)
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where state = {FailureState.Redriven:D} and removed_at is not null"
                ),
            Is.EqualTo(_count),
            "rows closed and out of the queue",
            TimeSpan.FromMinutes(1)
        );
    }

    private async Task<int> SettledAsync(string redrive)
    {
        var now = (await GetAsync(redrive, ViewerKey)).Body;
        return now["done"]!.GetValue<int>() + now["failedAgain"]!.GetValue<int>() + now["skipped"]!.GetValue<int>();
    }

    private Process StartDashboard()
    {
        var settings = TestSystem.Settings(
            Settings.Concat([("urls", "http://127.0.0.1:0"), ("Logging:LogLevel:Default", "Warning")])
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
