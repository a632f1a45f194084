using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// RabbitMQ takes a message away from a consumer that has held it longer than the consumer timeout, 30 minutes out
/// there: runs that wait for a database that is away get there. They come again, and none of it counts.
/// </summary>
public sealed class ConsumerTimeoutTests : SystemFixture
{
    private const int Messages = 20;

    [Test]
    public async Task A_worker_that_waits_for_its_database_longer_than_the_timeout_comes_back_and_loses_nothing()
    {
        await using var role = await TestSystem.Database.CreateRoleAsync();
        // A policy in place of ours: an operator policy cannot set it.
        await TestSystem.Broker.SetPolicyAsync(
            "timeout",
            "^patient$",
            new Dictionary<string, object>
            {
                ["consumer-timeout"] = 2000,
                ["delivery-limit"] = 20,
                ["dead-letter-exchange"] = "",
                ["dead-letter-routing-key"] = "patient_error",
                ["dead-letter-strategy"] = "at-least-once",
                ["overflow"] = "reject-publish",
            },
            isOperators: false
        );
        var script = new StepScript();
        await using var host = await TestSystem.StartAsync(
            [.. TestSystem.Catalogue.Choose("patient").Select(script.In)],
            null,
            ("ConnectionStrings:Postgres", role.ConnectionString)
        );
        var subjects = Enumerable.Range(0, Messages).Select(_ => Guid.NewGuid()).ToArray();
        await role.RotateAsync();
        foreach (var subject in subjects)
            await TestSystem.Broker.PublishToAsync("patient", new Feed(subject));
        await Eventually.Is(
            () => subjects.Any(s => script.RunsOf(s) > 1),
            "the broker has taken messages away and delivered them again",
            TimeSpan.FromSeconds(90)
        );
        await role.RotateBackAsync();

        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and status = $2 and attempts = 1",
                    subjects,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(subjects.Length),
            "steps that are done at their first attempt",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = any($1)", subjects),
            Is.EqualTo(subjects.Length),
            "effects"
        );
        Assert.That(await TestSystem.Broker.CountAsync("patient_error"), Is.Zero, "dead-lettered");
        await Eventually.That(() => TestSystem.Broker.CountAsync("patient"), Is.Zero, "messages that wait");
        // The broker may just have cancelled the consumer once more for what it held before.
        await Eventually.That(() => TestSystem.Broker.ConsumersAsync("patient"), Is.EqualTo(1u), "consumers");
    }
}
