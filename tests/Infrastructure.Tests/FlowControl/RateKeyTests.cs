using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Tests.Orders;
using QueueWorkers.FlowControl;
using QueueWorkers.Operators;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>A limit by a key that no message carries would limit nothing, without a word.</summary>
public sealed class RateKeyTests : SystemFixture
{
    private static readonly AuditEntry Audit = new()
    {
        Who = "an operator",
        Role = "Operator",
        Action = "limit-step",
        Target = "slow",
        Reason = "a test",
    };

    protected override StepCatalogue Catalogue => AgingTests.OneSlowStep;

    [Test]
    public async Task A_limit_is_by_a_key_that_the_messages_carry()
    {
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        var controls = new StepControls(source, new OrderContracts());

        await controls.SetRatesAsync("slow", "100/m, 5/s per customer, 9/s per mail-domain", Audit);
        await Assert.ThatAsync(
            () => controls.SetRatesAsync("slow", "5/s per customer, 5/s per planet", Audit),
            Throws
                .TypeOf<FormatException>()
                .With.Message.Contains("'slow' carry (customer, mail-domain), found 'planet'")
        );
        Assert.That(
            (await controls.ListAsync()).Single().Rates,
            Is.EqualTo("100/m, 5/s per customer, 9/s per mail-domain"),
            "what was set before"
        );
    }
}
