using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Chaos.Clients;
using Orders.Chaos.Planning;
using Orders.Chaos.Running;

namespace Orders.Chaos.Tests.Running;

/// <summary>The operators of a run in front of a dashboard that answers as it is told to.</summary>
public sealed class OperatorsTests
{
    private static readonly Guid Made = Guid.NewGuid();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly FaultType Refusing = FaultCatalogue.All.First(t =>
        t is { Kind: FaultKind.Redrive, Target: "warehouse-calls" }
    );

    [Test]
    public async Task What_is_in_the_way_is_asked_again_and_a_redrive_that_stopped_goes_on() =>
        await AskAsync(
            hands: 1,
            carriedOut: new TaskCompletionSource().Task,
            [
                ("POST /api/redrives/preview", 503, new { }),
                ("POST /api/redrives/preview", 200, new { total = 0 }),
                ("POST /api/redrives/preview", 200, new { total = 3 }),
                ("POST /api/redrives", 409, new { type = "urn:problem:orders:outstanding", redrive = Guid.NewGuid() }),
                ("POST /api/redrives/preview", 200, new { total = 4 }),
                ("POST /api/redrives", 201, Progress("Canary", waiting: 4)),
                ($"GET /api/redrives/{Made}", 200, Progress("Canary", waiting: 3, sent: 1)),
                ($"GET /api/redrives/{Made}", 500, new { }),
                (
                    $"GET /api/redrives/{Made}",
                    200,
                    Progress("Canary", waiting: 3, failedAgain: 1, stoppedBecause: "1 of 1 failed again")
                ),
                ($"POST /api/redrives/{Made}/resume", 200, Progress("Canary", waiting: 3, failedAgain: 1)),
                ($"GET /api/redrives/{Made}", 200, Progress("Done", done: 3, failedAgain: 1)),
            ],
            calls =>
                Assert.That(
                    calls.Select(c => (c.Asked, c.Status, c.Code, c.Total)),
                    Is.EqualTo(
                        new (string, int?, string?, int?)[]
                        {
                            ("look", 503, null, null),
                            ("look", 200, null, 0),
                            ("look", 200, null, 3),
                            ("redrive", 409, "outstanding", null),
                            ("look", 200, null, 4),
                            ("redrive", 201, null, 4),
                            ("resume", 200, null, null),
                        }
                    )
                )
        );

    [Test]
    public async Task Who_is_not_alone_asks_without_a_look_and_leaves_it_when_nothing_comes_after_the_fault() =>
        await AskAsync(
            hands: 2,
            Task.CompletedTask,
            [],
            calls =>
                Assert.That(
                    calls.Select(c => (c.Asked, c.Code)).Distinct(),
                    Is.EqualTo(new (string, string?)[] { ("redrive", "nothing-matches") })
                )
        );

    // Answers in the order of the script; whoever asks for something else, or after its end, is told that nothing
    // matches.
    private static async Task AskAsync(
        int hands,
        Task carriedOut,
        (string Call, int Status, object Answer)[] script,
        Action<IReadOnlyList<OperatorCall>> then
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var dashboard = builder.Build();
        var next = -1;
        dashboard.Run(context =>
        {
            var at = Interlocked.Increment(ref next);
            var (_, status, answer) =
                at < script.Length && script[at].Call == $"{context.Request.Method} {context.Request.Path}"
                    ? script[at]
                    : ("", 422, new { type = "urn:problem:orders:nothing-matches" });
            context.Response.StatusCode = status;
            return context.Response.WriteAsJsonAsync(answer, answer.GetType());
        });
        dashboard.Urls.Add("http://127.0.0.1:0");
        await dashboard.StartAsync();
        var file = Path.GetTempFileName();
        try
        {
            IReadOnlyList<OperatorCall> calls;
            await using var database = NpgsqlDataSource.Create("Host=nowhere.invalid");
            using (var client = new ChaosOperatorClient(new Uri(dashboard.Urls.Single()), "op_key", file))
            {
                var fault = new PlannedFault(
                    1,
                    TimeSpan.Zero,
                    Refusing,
                    TimeSpan.Zero,
                    "reject",
                    1,
                    new RedriveTerms(TimeSpan.Zero, hands, 5, 50, 20)
                );
                await new Operators(client, database, TimeSpan.FromMilliseconds(20)).RedriveAsync(
                    fault,
                    carriedOut,
                    Patience,
                    CancellationToken.None
                );
                calls = client.Calls;
            }

            then(calls);
            Assert.That(
                await File.ReadAllLinesAsync(file),
                Has.Length.EqualTo(calls.Count),
                "written down as they were made"
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static object Progress(
        string stage,
        int waiting = 0,
        int sent = 0,
        int done = 0,
        int failedAgain = 0,
        string? stoppedBecause = null
    ) =>
        new
        {
            redrive = new
            {
                id = Made,
                reason = "why",
                stage,
                stoppedBecause,
                total = 4,
            },
            waiting,
            sent,
            done,
            failedAgain,
            skipped = 0,
        };
}
