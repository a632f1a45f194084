using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Orders.Testing;
using Orders.Testing.Servers;
using Parcels;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Samples.Tests;

/// <summary>An installation of the sample: a database and a virtual host of its own, deployed by the sample itself.</summary>
internal sealed class ParcelsInstallation : IAsyncDisposable
{
    // The three steps each write one.
    private const string Complete = """
        "Parcels" p where p."Id" = any($1) and p."TrackingNumber" is not null
            and (select count(distinct t."What") from "Tracking" t where t."ParcelId" = p."Id") = 3
        """;

    private const string Twice = """
        (select from "Tracking" group by "ParcelId", "What" having count(*) > 1) as twice
        """;

    private readonly HttpClient _http = new();

    private ParcelsInstallation(TestDatabase database, TestBroker broker, DemoCarrier carrier)
    {
        Database = database;
        Broker = broker;
        Carrier = carrier;
    }

    public TestDatabase Database { get; }

    public TestBroker Broker { get; }

    public DemoCarrier Carrier { get; }

    /// <summary>What a process of the sample needs to find its installation.</summary>
    public Dictionary<string, string?> Settings =>
        new()
        {
            ["ConnectionStrings:Postgres"] = Database.ConnectionString,
            ["RabbitMq:Host"] = Broker.Options.Host,
            ["RabbitMq:Port"] = Broker.Options.EffectivePort.ToString(CultureInfo.InvariantCulture),
            ["RabbitMq:VirtualHost"] = Broker.Options.VirtualHost,
            ["RabbitMq:Username"] = Broker.Options.Username,
            ["RabbitMq:Password"] = Broker.Options.Password,
            ["RabbitMq:ManagementUri"] = $"{Broker.Options.ManagementUri}",
            ["Carrier:Url"] = Carrier.Address,
            ["Parcels:SummaryAt"] = "* * * * * *",
        };

    /// <summary>Creates one, empty.</summary>
    public static async Task<ParcelsInstallation> CreateAsync() =>
        new(await TestDatabase.CreateEmptyAsync(), await TestBroker.CreateAsync(), await DemoCarrier.StartAsync());

    /// <summary>Creates one and deploys the sample into it.</summary>
    /// <param name="dll">The sample; the one of the repository unless said otherwise.</param>
    /// <param name="settings">More settings of the deployment.</param>
    public static async Task<ParcelsInstallation> DeployAsync(
        string? dll = null,
        params IEnumerable<(string Name, string Value)> settings
    )
    {
        var installation = await CreateAsync();
        var more = settings.Select(setting => $"--{setting.Name}={setting.Value}");
        var (code, output) = await installation.RunAsync(dll ?? Dll, ["deploy", .. more]);
        Assert.That(code, Is.Zero, output);
        return installation;
    }

    /// <summary>Runs a command of the sample to its end.</summary>
    public async Task<(int Code, string Output)> RunAsync(string dll, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [dll, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(dll)!,
        };
        foreach (var (name, value) in Settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        return await Commands.RunAsync(start, TimeSpan.FromMinutes(3));
    }

    /// <summary>Posts a parcel.</summary>
    public async Task<Guid> PostAsync(Uri address)
    {
        using var answer = await _http.PostAsJsonAsync(
            new Uri(address, "parcels"),
            new { recipient = "Ada Lovelace", grams = 1200 }
        );
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    /// <summary>Posts what cannot be stored; returns the status.</summary>
    public async Task<int> PostWithoutRecipientAsync(Uri address)
    {
        using var answer = await _http.PostAsJsonAsync(new Uri(address, "parcels"), new { grams = 1200 });
        return (int)answer.StatusCode;
    }

    /// <summary>Where a step of a parcel stands, and after how many attempts; the query of the guide.</summary>
    public async Task<(StepStatus Status, int Attempts)> StepOfAsync(Guid parcel, string step) =>
        (
            await Database.RowsAsync(
                "select status, attempts from step_runs where subject_id = $1 and step = $2",
                parcel,
                step
            )
        )
            is [var row]
            ? ((StepStatus)(short)row[0]!, (int)row[1]!)
            : default;

    /// <summary>
    /// Waits until the parcels have been through all steps, and nothing is under way; fails if an effect came twice.
    /// </summary>
    public async Task UntilCompleteAsync(IReadOnlyCollection<Guid> parcels)
    {
        Guid[] ids = [.. parcels];
        await Eventually.That(
            () => Database.CountAsync(Complete, ids),
            Is.EqualTo(ids.Length),
            "parcels with all their events",
            TimeSpan.FromMinutes(2)
        );
        await Eventually.That(
            () => Database.CountAsync("outbox where exchange <> $1", MessageName.ExchangeOf(typeof(SummaryDue))),
            Is.Zero,
            "rows of parcels in the outbox"
        );
        var twice = await Database.CountAsync(Twice);
        var numbers = await Database.RowsAsync("""select "TrackingNumber" from "Parcels" where "Id" = any($1)""", ids);
        Assert.Multiple(() =>
        {
            Assert.That(twice, Is.Zero, "events that came twice");
            Assert.That(numbers.Select(row => row[0]), Is.Unique, "tracking numbers");
            Assert.That(numbers.Select(row => row[0]), Is.SubsetOf(Carrier.Parcels), "parcels of the carrier");
            Assert.That(Carrier.Parcels, Is.Unique, "parcels of the carrier");
        });
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Carrier.DisposeAsync();
        await Broker.DisposeAsync();
        await Database.DisposeAsync();
    }

    // Built, because the tests refer to it; its settings lie beside it.
    public static string Dll { get; } = SupervisedHost.Built("samples/Parcels", "Parcels.dll");
}
