using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Anchors;

namespace Orders.Infrastructure.Tests.Operators;

/// <summary>A process carries the head of the audit record into its log, and notices by itself that it was cut.</summary>
internal sealed class AuditHeadWatchTests
{
    private const string Anchored = "Audit record anchored";

    [Test]
    public async Task The_head_is_logged_by_time_and_by_rows_and_deleted_newest_rows_are_named()
    {
        await using var database = await TestDatabase.CreateAsync();
        var log = new LogCapture();
        await WriteAsync(database, 1);
        // By time only at the start: later lines come from the number of rows.
        using var host = await StartAsync(database, log, ("AnchorInterval", "1.00:00:00"), ("AnchorRows", "4"));
        await Eventually.Is(
            () => Lines(log, Anchored).Any(line => line.Contains(": 1:", StringComparison.Ordinal)),
            "an anchor of row 1"
        );
        await WriteAsync(database, 4);
        await Eventually.Is(
            () => Lines(log, $"{Anchored}").Any(line => line.Contains(": 5:", StringComparison.Ordinal)),
            "an anchor of row 5"
        );

        await database.ExecuteAsync(
            """
            alter table audit disable trigger audit_unchanged;
            delete from audit where id > 2;
            alter table audit enable trigger audit_unchanged
            """
        );
        await Eventually.Is(() => Lines(log, "rows 3–5 are missing").Any(), "an error that names rows 3 to 5");
        await Eventually.Is(
            () => Lines(log, Anchored).Last().Contains(": 2:", StringComparison.Ordinal),
            "an anchor of what is left"
        );
        await host.StopAsync();
    }

    private static async Task<IHost> StartAsync(
        TestDatabase database,
        LogCapture log,
        params (string Name, string Value)[] settings
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            settings.Select(s => KeyValuePair.Create($"Audit:{s.Name}", (string?)s.Value))
        );
        builder.Logging.AddProvider(log);
        builder
            .Services.AddMetrics()
            .AddSingleton(database.Source)
            .AddSingleton<AuditLog>()
            .AddAuditAnchors(builder.Configuration);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static async Task WriteAsync(TestDatabase database, int count)
    {
        var audit = new AuditLog(database.Source);
        for (var n = 0; n < count; n++)
            await audit.WriteAsync(
                new AuditEntry
                {
                    Who = "anna",
                    Role = "Admin",
                    Action = "test",
                },
                default
            );
    }

    private static IEnumerable<string> Lines(LogCapture log, string text) =>
        log.Lines.Select(l => l.Line).Where(line => line.Contains(text, StringComparison.Ordinal));
}
