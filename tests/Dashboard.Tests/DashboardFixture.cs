using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orders.Testing.Zoo;
using QueueWorkers.Operators;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests;

/// <summary>A fixture with an installation of its own, a dashboard, and a key for each role.</summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal abstract class DashboardFixture
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    protected OrdersSystem TestSystem { get; private set; } = null!;

    protected DashboardHost Dashboard { get; private set; } = null!;

    protected string ViewerKey { get; } = OperatorKey.NewKey();

    protected string OperatorsKey { get; } = OperatorKey.NewKey();

    protected string AdminKey { get; } = OperatorKey.NewKey();

    protected virtual StepCatalogue Catalogue => ZooCatalogue.Of();

    protected virtual IEnumerable<(string Name, string? Value)> Settings => [];

    [OneTimeSetUp]
    public async Task StartDashboardAsync()
    {
        TestSystem = await OrdersSystem.CreateAsync(Catalogue);
        var operators = new OperatorStore(TestSystem.Database.Source);
        await operators.EnsureAsync("vera", OperatorRole.Viewer, null, ViewerKey, default);
        await operators.EnsureAsync("otto", OperatorRole.Operator, null, OperatorsKey, default);
        await operators.EnsureAsync("anna", OperatorRole.Admin, null, AdminKey, default);
        Dashboard = await DashboardHost.StartAsync(TestSystem, Settings);
    }

    [OneTimeTearDown]
    public async Task StopDashboardAsync()
    {
        _http.Dispose();
        if (Dashboard is not null)
            await Dashboard.DisposeAsync();
        if (TestSystem is not null)
            await TestSystem.DisposeAsync();
    }

    /// <summary>Stops the dashboard and starts another one on the same installation.</summary>
    protected async Task RestartDashboardAsync(params IEnumerable<(string Name, string? Value)> settings)
    {
        await Dashboard.DisposeAsync();
        Dashboard = await DashboardHost.StartAsync(TestSystem, Settings.Concat(settings));
    }

    /// <summary>Starts a dashboard where one was, after the test has disposed it.</summary>
    protected async Task RestartDashboardAsync(int port) =>
        Dashboard = await DashboardHost.StartAsync(TestSystem, Settings.Append(("urls", $"http://127.0.0.1:{port}")));

    protected Task<Answer> GetAsync(string path, string? key) => SendAsync(HttpMethod.Get, path, key);

    protected Task<Answer> PostAsync(string path, string? key, object? body = null) =>
        SendAsync(HttpMethod.Post, path, key, body);

    protected async Task<Answer> SendAsync(HttpMethod method, string path, string? key, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Dashboard.Address, path))
        {
            Content = body is null ? null : JsonContent.Create(body),
        };
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _http.SendAsync(request);
        return new Answer(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync()
        );
    }
}

/// <summary>An answer of the operator API.</summary>
internal sealed record Answer(int Status, string? ContentType, string Text)
{
    /// <summary>The body as JSON.</summary>
    public JsonNode Body => JsonNode.Parse(Text) ?? throw new AssertionException($"Expected JSON, found {this}");

    /// <summary>The problem's code; empty when the answer is none.</summary>
    public string Code =>
        ContentType == "application/problem+json"
            ? Body["type"]!.GetValue<string>().Replace("urn:problem:orders:", "", StringComparison.Ordinal)
            : "";

    public override string ToString() => $"{Status} {ContentType}: {Text}";
}
