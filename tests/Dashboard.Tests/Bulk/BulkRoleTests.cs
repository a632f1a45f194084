using Npgsql;
using Orders.Infrastructure.Deployment;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Deployment;

namespace Orders.Dashboard.Tests.Bulk;

/// <summary>The rights of the dashboard's role are enough for bulk actions of each kind.</summary>
internal sealed class BulkRoleTests : ShopFixture
{
    [OneTimeSetUp]
    public async Task TakeRoleAsync()
    {
        await DeployCommand.RunAsync(
            TestSystem.Configuration(
                ("DASHBOARD_DB_PASSWORD", SharedLogins.Password),
                ("DASHBOARD_MQ_PASSWORD", SharedLogins.Password)
            ),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );
        var user = ProcessCredentials.UserOf("dashboard");
        await RestartDashboardAsync(
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
                {
                    Username = user,
                    Password = SharedLogins.Password,
                }.ConnectionString
            ),
            ("RabbitMq:Username", user),
            ("RabbitMq:Password", SharedLogins.Password)
        );
    }

    [Test]
    public async Task Each_kind_is_rehearsed_and_worked_off()
    {
        const int count = 3;
        var orders = await TestSystem.StoreAsync(await OrdersAsync(count));
        await DeadLetterAsync(orders);
        await UntilFailuresAsync(FailureState.Failed, count);
        foreach (
            object request in (object[])
                [
                    new { kind = "archive-failures", filter = new { step = "email" } },
                    new
                    {
                        kind = "replay-step",
                        step = "email",
                        filter = new { client = "tests" },
                    },
                    new { kind = "cancel-orders", filter = new { client = "tests" } },
                ]
        )
        {
            var made = await PostAsync("/api/bulk-actions", OperatorsKey, request);
            Assert.That(made.Status, Is.EqualTo(201), made.ToString());
            var action = $"/api/bulk-actions/{made.Body["id"]!.GetValue<Guid>()}";
            var confirmed = await PostAsync(
                $"{action}/confirm",
                OperatorsKey,
                new { expect = count, reason = "with the role's rights" }
            );
            Assert.That(confirmed.Status, Is.EqualTo(202), confirmed.ToString());
            await Eventually.That(
                async () => (await GetAsync(action, ViewerKey)).Body["done"]!.GetValue<int>(),
                Is.EqualTo(count),
                action,
                TimeSpan.FromMinutes(1)
            );
        }

        await Eventually.That(
            () => TestSystem.Database.CountAsync("order_progress where cancelled_at is not null"),
            Is.EqualTo(count),
            "cancelled orders"
        );
    }
}
