using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Infrastructure.Deployment;
using Orders.Infrastructure.Intake;
using Orders.Testing.Servers;
using QueueWorkers.Deployment;

namespace Orders.Dashboard.Tests.Erasing;

/// <summary>A shop whose dashboard has the database role of an installation, and customers to erase.</summary>
internal abstract class ErasureFixture : ShopFixture
{
    protected static readonly Customer Zora = new(
        "Zora Quittenbaum",
        "Zora.Quittenbaum@example.com",
        "Ringelnatzweg 17",
        "Quedlinburghausen"
    );

    protected static readonly Customer Nora = new(
        "Nora Feigenbaum",
        "nora.feigenbaum@example.com",
        "Morgensterngasse 4",
        "Galgenbergen"
    );

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
        await RestartWithRoleAsync();
    }

    protected Task RestartWithRoleAsync(string? options = null) =>
        RestartDashboardAsync(
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
                {
                    Username = ProcessCredentials.UserOf("dashboard"),
                    Password = SharedLogins.Password,
                    Options = options,
                }.ConnectionString
            ),
            ("RabbitMq:Username", ProcessCredentials.UserOf("dashboard")),
            ("RabbitMq:Password", SharedLogins.Password)
        );

    /// <summary>Posts an order as the API does.</summary>
    protected async Task<Guid> PostAsync(RunningHost host, Customer customer, string? key = null)
    {
        var order = SampleOrders.New(await TestSystem.RequiredStepsAsync(), ("MUG-BLUE", 1)) with
        {
            CustomerName = customer.Name,
            CustomerEmail = customer.Email,
            ShipLine1 = customer.Street,
            ShipCity = customer.City,
            Notes = $"Ring at {customer.Name}'s door.",
            IdempotencyKey = key,
            BodyHash = [1, 2, 3],
        };
        var result = await host.Services.GetRequiredService<OrderIntake>().AcceptAsync(order);
        Assert.That(result.Outcome, Is.EqualTo(IntakeOutcome.Accepted));
        return order.Id;
    }

    /// <summary>Stores orders that have ended, without any step having run.</summary>
    protected async Task<Guid[]> StoreEndedAsync(Customer customer, int count)
    {
        await TestSystem.Database.ExecuteAsync(
            """
            with o as (
                insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, ship_line1,
                    ship_city, ship_postal_code, ship_country, created_at)
                select uuidv7(), 'tests', $1, $2, 'EUR', 9.9, false, $3, $4, '06484', 'DE', now()
                from generate_series(1, $5) returning id)
            insert into order_progress (order_id, required, done, failed, completed_at)
            select id, 1, 1, 0, now() from o
            """,
            customer.Name,
            customer.Email,
            customer.Street,
            customer.City,
            count
        );
        return
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(id::text, ',' order by id) from orders where customer_email = $1",
                customer.Email
            )
                is { } ids
            ? [.. ids.Split(',').Select(Guid.Parse)]
            : [];
    }

    /// <summary>Erases, and waits for the end.</summary>
    protected async Task<Guid> EraseAsync(Customer customer)
    {
        var answer = await PostAsync(
            "/api/erasures",
            AdminKey,
            new { customer = customer.Email, reason = "Request of 3 May." }
        );
        Assert.That(answer.Status, Is.EqualTo(202), answer.ToString());
        var id = answer.Body["id"]!.GetValue<Guid>();
        await UntilErasedAsync(id);
        return id;
    }

    protected Task UntilErasedAsync(Guid id) =>
        Eventually.That(
            async () => (await GetAsync($"/api/erasures/{id}", AdminKey)).Body["finishedAt"],
            Is.Not.Null,
            "end of the erasure",
            TimeSpan.FromMinutes(2)
        );

    protected static string Text(Guid id) => id.ToString("D", CultureInfo.InvariantCulture);

    /// <summary>Somebody who orders.</summary>
    internal sealed record Customer(string Name, string Email, string Street, string City)
    {
        /// <summary>What must not be found any more, in lower case.</summary>
        public IReadOnlyList<string> Traces =>
            [.. new[] { Name.Split(' ')[1], Email, Street, City }.Select(t => t.ToLowerInvariant())];

        /// <summary>All of it in one text.</summary>
        public string Everything => $"{Name} <{Email}>, {Street}, {City}";
    }
}
