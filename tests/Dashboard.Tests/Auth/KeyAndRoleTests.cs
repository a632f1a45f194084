using Microsoft.AspNetCore.Builder;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Auth;

internal sealed class KeyAndRoleTests : DashboardFixture
{
    [Test]
    public async Task Without_a_key_nothing_is_said_not_even_what_exists()
    {
        foreach (var path in new[] { "/api/me", "/api/audit", "/api/no-such-thing" })
            Assert.That((await GetAsync(path, null)).Status, Is.EqualTo(401), path);
        // People are sent to the login, whether the page exists or not.
        foreach (var path in new[] { "/orders", "/no-such-thing" })
            Assert.That((await GetAsync(path, null)).Status, Is.EqualTo(302), path);
    }

    [Test]
    public async Task Wrong_malformed_and_disabled_keys_get_the_same_answer()
    {
        var disabled = OperatorKey.NewKey();
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
            "gone",
            OperatorRole.Admin,
            null,
            disabled,
            default
        );
        await TestSystem.Database.ExecuteAsync("update operators set disabled_at = now() where name = 'gone'");
        foreach (
            var key in new[]
            {
                "op_short",
                OperatorKey.NewKey(),
                disabled,
                "ok_AliceAliceAliceAliceAliceAliceAliceAliceAli",
            }
        )
        {
            var answer = await GetAsync("/api/me", key);
            Assert.That((answer.Status, answer.Code), Is.EqualTo((401, "unauthorized")), key);
        }
    }

    // Nobody's role is at fault.
    [Test]
    public async Task What_routing_refuses_is_not_taken_for_a_missing_role()
    {
        Assert.That((await SendAsync(HttpMethod.Delete, "/api/me", ViewerKey)).Code, Is.EqualTo("method-not-allowed"));
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Dashboard.Address, "/api/redrives"))
        {
            Content = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue("text/plain")),
        };
        request.Headers.Authorization = new("Bearer", OperatorsKey);
        using var response = await http.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(415));
        Assert.That((await SendAsync(HttpMethod.Delete, "/api/me", null)).Status, Is.EqualTo(401));
    }

    // Found by mutated requests: routes are the same in capitals, and so is what guards them.
    [TestCase("/API/replays", """{"step":null,"perSecond":1,"reason":"because"}""")]
    [TestCase("/api/replays", """{"step":null,"perSecond":1,"reason":"because"}""")]
    [TestCase("/api/erasures/repeat", """{"erasures":[{"person":null}],"reason":"because"}""")]
    [TestCase("/api/erasures/repeat", """{"erasures":[null],"reason":"because"}""")]
    [TestCase("/API/ME", null)]
    public async Task What_cannot_be_worked_with_is_a_problem_and_no_fault(string path, string? body)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Dashboard.Address, path))
        {
            Content = new StringContent(body ?? "{}", System.Text.Encoding.UTF8, "application/json"),
        };
        if (body is null)
            request.Content.Headers.ContentType!.CharSet = "x-unknown";
        request.Headers.Authorization = new("Bearer", AdminKey);
        using var response = await http.SendAsync(request);
        Assert.That(
            ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((body is null ? 415 : 400, "application/problem+json"))
        );
    }

    [Test]
    public async Task A_key_speaks_for_its_operator()
    {
        var answer = await GetAsync("/api/me", OperatorsKey);
        Assert.That(
            (answer.Status, answer.Body["name"]!.GetValue<string>(), answer.Body["role"]!.GetValue<string>()),
            Is.EqualTo((200, "otto", "Operator")),
            answer.ToString()
        );
    }

    [Test]
    public async Task An_address_that_does_not_exist_is_a_problem_to_those_who_are_somebody()
    {
        var answer = await GetAsync("/api/no-such-thing", ViewerKey);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((404, "not-found")), answer.ToString());
    }

    [Test]
    public async Task Health_is_open()
    {
        Assert.That((await GetAsync("/health/live", null)).Status, Is.EqualTo(200));
        await Eventually.That(async () => (await GetAsync("/health/ready", null)).Status, Is.EqualTo(200), "readiness");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_route_that_names_no_role_is_closed_even_to_admins(bool asksForSomebody)
    {
        await using var host = await DashboardHost.StartAsync(
            TestSystem,
            app =>
            {
                var route = app.MapPost("/api/planted", () => "open");
                if (asksForSomebody)
                    route.RequireAuthorization();
            }
        );
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Address, "/api/planted"));
        request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", AdminKey);
        using var response = await http.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(403));
    }

    [Test]
    public void Every_endpoint_asks_for_a_role_or_is_open_on_purpose()
    {
        string[] open = ["/health/live", "/health/ready", "/login", "/assets/{hash}/{name}", "/favicon.ico"];
        foreach (var endpoint in Endpoints())
        {
            var asks = endpoint
                .Metadata.GetOrderedMetadata<Microsoft.AspNetCore.Authorization.IAuthorizeData>()
                .Any(a => a.Policy is "viewer" or "operator" or "admin");
            Assert.That(asks || open.Contains(endpoint.RoutePattern.RawText), endpoint.ToString());
        }
    }

    private IEnumerable<Microsoft.AspNetCore.Routing.RouteEndpoint> Endpoints() =>
        (
            (Microsoft.AspNetCore.Routing.EndpointDataSource)
                Dashboard.Services.GetService(typeof(Microsoft.AspNetCore.Routing.EndpointDataSource))!
        ).Endpoints.OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>();
}
