using System.Collections.Immutable;
using Microsoft.Playwright;
using Orders.Dashboard.WorkerPages;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// After a day of deployments the page of the workers begins with those that work: who stopped or was lost is folded
/// away after minutes.
/// </summary>
internal sealed class WorkerFoldTests : BrowserFixture
{
    private const int Stopped = 120;

    [OneTimeSetUp]
    public Task FillAsync() =>
        TestSystem.Database.ExecuteAsync(
            """
            insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at, stopped_at)
            select uuidv7(), host, 1, '1.4.0', '{hurried}', 0, now() - interval '20 hours', now() - seen,
                case when stopped then now() - seen end
            from (
                select 'old-' || n as host, interval '30 minutes' + n * interval '1 second' as seen, true as stopped
                    from generate_series(1, $1) n
                union all values ('lost-long-ago', interval '40 minutes', false), ('lost-lately', interval '1 minute', false),
                    ('stopped-lately', interval '1 minute', true), ('running', interval '-1 hour', false)) w
            """,
            Stopped
        );

    [Test]
    public async Task Who_stopped_or_was_lost_is_folded_away_after_minutes_and_stays_unfolded_where_one_looks()
    {
        // However long ago the rows were written.
        await TestSystem.Database.ExecuteAsync(
            """
            update workers set last_seen_at = now() - interval '1 minute',
                stopped_at = case when stopped_at is not null then now() - interval '1 minute' end
                where host in ('lost-lately', 'stopped-lately')
            """
        );
        await using var viewer = await OpenAsync();
        var page = viewer.Page;
        await page.GotoAsync("/workers");
        var processes = page.GetByRole(AriaRole.Region, new() { Name = "Processes", Exact = true });
        await Assertions.Expect(processes.Locator("tbody tr")).ToHaveCountAsync(3);
        await Assertions.Expect(processes.Locator("tbody tr").First).ToContainTextAsync("running");
        await Assertions.Expect(processes).ToContainTextAsync("lost-lately");
        await Assertions.Expect(processes).ToContainTextAsync("stopped-lately");
        var gone = page.Locator("#gone");
        await Assertions.Expect(gone.Locator("summary")).ToHaveTextAsync("120 stopped, 1 lost in the last day");
        await Assertions.Expect(gone.Locator("table")).ToBeHiddenAsync();

        await gone.Locator("summary").ClickAsync();
        await Assertions.Expect(gone.Locator("tbody tr")).ToHaveCountAsync(100);
        // The page fetches the processes again and again, and what was opened stays open.
        for (var i = 0; i < 2; i++)
            await page.WaitForResponseAsync(
                r => r.Url.Contains("/workers/processes", StringComparison.Ordinal),
                new() { Timeout = 60_000 }
            );
        await Assertions.Expect(gone.Locator("table")).ToBeVisibleAsync();
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);
    }

    [Test]
    public async Task How_long_they_stay_is_chosen()
    {
        await using var viewer = await OpenAsync();
        var page = viewer.Page;
        await page.GotoAsync("/workers");
        await page.GetByLabel("Fold away").SelectOptionAsync("1h");
        await page.WaitForURLAsync("**/workers?fold=1h");
        var processes = page.GetByRole(AriaRole.Region, new() { Name = "Processes", Exact = true });
        await Assertions.Expect(processes.Locator("tbody tr")).ToHaveCountAsync(Stopped + 4);
        await Assertions.Expect(page.Locator("#gone")).ToHaveCountAsync(0);
        await page.WaitForResponseAsync(
            r => r.Url.EndsWith("/workers/processes?fold=1h", StringComparison.Ordinal),
            new() { Timeout = 60_000 }
        );
        await Assertions.Expect(processes.Locator("tbody tr")).ToHaveCountAsync(Stopped + 4);
    }

    [TestCase(WorkerReader.Most - 1, "499 stopped, 0 lost in the last day")]
    [TestCase(WorkerReader.Most, "500 or more stopped or lost in the last day")]
    public void A_summary_of_all_that_can_be_read_says_that_there_may_be_more(int read, string expected)
    {
        var gone = Enumerable.Range(0, read).Select(_ => new Worker { StoppedAt = DateTimeOffset.UnixEpoch }).ToArray();
        var now = new WorkersNow(gone, [], ImmutableDictionary<Guid, string>.Empty);
        Assert.That(now.Summary(gone), Is.EqualTo(expected));
    }

    [Test]
    public async Task Limits_are_numbers()
    {
        await using var viewer = await OpenAsync();
        await viewer.Page.GotoAsync("/workers");
        var steps = viewer.Page.GetByRole(AriaRole.Region, new() { Name = "Steps", Exact = true });
        var step = steps.Locator("tbody tr").Filter(new() { HasText = "hurried" }).First;
        var limit = TestSystem.Catalogue.Steps.Single(s => s.Name == "hurried").Policy.Concurrency;
        await Assertions
            .Expect(step.Locator("td").Nth(1))
            .ToHaveTextAsync(new System.Text.RegularExpressions.Regex($"^{limit}\\s*default$"));
        await Assertions.Expect(step.Locator(".pill")).ToHaveTextAsync("Running");
        await TestSystem.Database.ExecuteAsync(
            "insert into step_controls (step, paused, replica_limit, changed_by, reason) values ('hurried', false, 2, 'otto', '')"
        );
        await viewer.Page.ReloadAsync();
        await Assertions
            .Expect(step.Locator("td").Nth(1))
            .ToHaveTextAsync(new System.Text.RegularExpressions.Regex($"^2\\s*default {limit}$"));
    }
}
