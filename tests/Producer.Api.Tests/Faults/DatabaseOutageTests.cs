using Microsoft.EntityFrameworkCore;
using Npgsql;
using Orders.Infrastructure;
using Orders.Testing.Servers;
using Testcontainers.PostgreSql;

namespace Orders.Producer.Api.Tests.Faults;

/// <summary>A database that can be stopped, which the other fixtures' cannot.</summary>
internal sealed class DatabaseOutageTests
{
    private const string Key = "ok_AliceAliceAliceAliceAliceAliceAliceAliceAli";

    [Test]
    public async Task Orders_are_refused_with_a_time_to_come_back_and_taken_again_afterwards()
    {
        await using var server = new PostgreSqlBuilder("postgres:18")
            // A container that starts again gets another port unless it is given one.
            .WithPortBinding(FreePort.Take(), 5432)
            .WithLabel(SharedServers.Label, "database that stops")
            .Build();
        await server.StartAsync();
        await using var database = NpgsqlDataSource.Create(server.GetConnectionString());
        await MigrateAsync(database);
        await ApiFixture.SeedAsync(database);
        await using var api = await ApiHost.StartAsync(server.GetConnectionString());
        using var http = new HttpClient { BaseAddress = api.Address };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Key}");
        await Eventually.That(() => StatusAsync(http, "/health/ready"), Is.EqualTo(200), "readiness at first");
        Assert.That((await PostAsync(http, null)).Status, Is.EqualTo(202));

        await server.StopAsync();
        var refused = await PostAsync(http, "while-away");
        Assert.Multiple(() =>
        {
            Assert.That(
                (refused.Status, refused.Code, refused.Headers["Retry-After"]),
                Is.EqualTo((503, "unavailable", "2")),
                refused.ToString()
            );
            Assert.That(
                refused.Body["detail"]!.GetValue<string>(),
                Does.Contain("Idempotency-Key"),
                "the way to find out"
            );
        });
        Assert.That(await StatusAsync(http, "/orders"), Is.EqualTo(503));
        Assert.That(await StatusAsync(http, "/health/ready"), Is.EqualTo(503));
        Assert.That(await StatusAsync(http, "/health/live"), Is.EqualTo(200));

        await server.StartAsync();
        database.Clear();
        await Eventually.That(
            async () => (await PostAsync(http, "while-away")).Status,
            Is.EqualTo(202),
            "posting with the same key again"
        );
        Assert.That(await ScalarAsync(database, "select count(*) from orders"), Is.EqualTo(2));
        await Eventually.That(() => StatusAsync(http, "/health/ready"), Is.EqualTo(200), "readiness in the end");

        // A standby that has not been promoted: reads work, writes do not.
        await ScalarAsync(
            database,
            "do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$"
        );
        await ScalarAsync(
            database,
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        );
        await Eventually.That(() => StatusAsync(http, "/orders"), Is.EqualTo(200), "reading from a read-only database");
        var readOnly = await PostAsync(http, null);
        Assert.That(
            (readOnly.Status, readOnly.Headers.ContainsKey("Retry-After")),
            Is.EqualTo((503, true)),
            readOnly.ToString()
        );
    }

    private static async Task<int> StatusAsync(HttpClient http, string path) =>
        (int)(await http.GetAsync(new Uri(path, UriKind.Relative))).StatusCode;

    private static async Task<Answer> PostAsync(HttpClient http, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/orders")
        {
            Content = ApiFixture.Json(SampleOrder.Text),
        };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var response = await http.SendAsync(request);
        return await Answer.OfAsync(response);
    }

    private static async Task MigrateAsync(NpgsqlDataSource database)
    {
        await using var context = new OrdersDbContext(
            (DbContextOptions<OrdersDbContext>)
                OrdersStore.Configure(new DbContextOptionsBuilder<OrdersDbContext>(), database).Options
        );
        await context.Database.MigrateAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
