using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Auth;

/// <summary>
/// NUL, half a character, a member twice, a reason of 20,000 characters, a path of 1,101 levels: at every route of the
/// pages and the operator API they are the caller's mistake, and no fault of ours.
/// </summary>
internal sealed partial class BrokenTextTests : DashboardFixture
{
    private const string Password = "correct horse battery staple";
    private static readonly string[] Verbs = ["GET", "POST", "PUT", "DELETE"];

    private static readonly string[] Queries =
    [
        "customer=%00",
        "text=abc%00def",
        "order=%00&step=%00&fault=%00&name=%00&reason=%00&after=%00&before=%00&part=%00",
        "return=%00",
        "%00=x",
    ];

    private static readonly string[] Bodies =
    [
        """{"reason":"\u0000"}""",
        """{"reason":"a\ud800b"}""",
        """{"\u0000":1}""",
        """{"reason":"a","reason":"b"}""",
        $$$"""{"reason":"{{{new string('x', 20_000)}}}"}""",
        """{"filter":{"text":"a\u0000b"},"reason":"why"}""",
        """{"filter":{"path":"a\udc00=b"},"reason":"why"}""",
        """{"payload":{"a":"\u0000"},"reason":"why"}""",
        """{"filter":{"ids":["0198a000-0000-7000-8000-000000000002"]},"reason":"why","patch":[{"op":"test","op":"add"}]}""",
    ];

    [Test]
    public async Task No_text_of_a_request_makes_a_fault_of_ours()
    {
        using var browser = await LoggedInAsync();
        var token = Token().Match(await browser.GetStringAsync(new Uri("/queues", UriKind.Relative))).Groups[1].Value;
        var (wrong, sent) = (new List<string>(), 0);
        foreach (var (method, path) in Routes())
        {
            var isApi = path.StartsWith("/api/", StringComparison.Ordinal);
            foreach (var query in Queries)
                await SendAsync(method, $"{path}?{query}", null);
            if (method == "GET")
                continue;
            if (isApi)
            {
                foreach (var body in Bodies)
                    await SendAsync(method, path, new StringContent(body, Encoding.UTF8, "application/json"));
            }
            else
            {
                foreach (var value in new[] { "%00", "a%00b", new string('x', 20_000) })
                    await SendAsync(
                        method,
                        path,
                        new StringContent(
                            $"_token={token}&reason={value}&name={value}&password={value}&payload={value}&patch={value}&text={value}&ids={value}",
                            Encoding.UTF8,
                            "application/x-www-form-urlencoded"
                        )
                    );
            }

            async Task SendAsync(string verb, string address, HttpContent? content)
            {
                using var request = new HttpRequestMessage(new HttpMethod(verb), new Uri(Dashboard.Address, address));
                request.Content = content;
                if (isApi)
                    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", AdminKey);
                using var answer = await browser.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                sent++;
                // A page that is loaded in parts, and a form that says what is missing, are answers too.
                if ((int)answer.StatusCode >= 500)
                    wrong.Add($"{(int)answer.StatusCode} {verb} {address}: {content?.ReadAsStringAsync().Result}");
            }
        }

        Assert.That(wrong, Is.Empty, string.Join('\n', wrong.Take(20)));
        await TestContext.Out.WriteLineAsync($"{sent} requests");
        Assert.That(sent, Is.GreaterThan(500));
    }

    [TestCase("/api/failures?customer=zoe%00@example.com")]
    [TestCase("/api/failures?text=abc%00")]
    [TestCase("/api/failures?path=a%00=b")]
    [TestCase("/api/duplicates?step=%00")]
    public async Task A_NUL_in_a_filter_is_refused(string address)
    {
        var answer = await GetAsync(address, ViewerKey);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), answer.ToString());
    }

    [Test]
    public async Task A_path_of_1101_levels_is_refused()
    {
        var path = string.Join('.', Enumerable.Repeat("a", 1101));
        var answer = await GetAsync($"/api/failures?path={path}=x", ViewerKey);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-filter")), answer.ToString());
    }

    [TestCase("reason", 501)]
    [TestCase("reason", 20_000)]
    public async Task A_reason_has_a_limit(string member, int length)
    {
        var before = await TestSystem.Database.CountAsync("audit");
        foreach (
            var path in new[]
            {
                "/api/steps/email/pause",
                "/api/failures/restore",
                $"/api/redrives/{Guid.NewGuid()}/stop",
            }
        )
        {
            var answer = await PostAsync(
                path,
                AdminKey,
                new Dictionary<string, object> { [member] = new string('x', length), ["ids"] = Array.Empty<Guid>() }
            );
            Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), $"{path}: {answer}");
        }

        Assert.That(await TestSystem.Database.CountAsync("audit"), Is.EqualTo(before), "records");
    }

    [Test]
    public async Task A_NUL_in_a_login_name_is_refused()
    {
        using var browser = NewBrowser();
        using var answer = await browser.PostAsync(
            new Uri("/login", UriKind.Relative),
            new StringContent("name=%00&password=x", Encoding.UTF8, "application/x-www-form-urlencoded")
        );
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    // Every parameter has a value that exists nowhere; a stream never ends.
    private IEnumerable<(string Method, string Path)> Routes() =>
        ((EndpointDataSource)Dashboard.Services.GetService(typeof(EndpointDataSource))!)
            .Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText is not ("/live" or "/logout"))
            .SelectMany(e =>
                (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [])
                    .Intersect(Verbs)
                    .Select(method => (method, Path(e.RoutePattern.RawText!)))
            )
            .Distinct();

    private static string Path(string pattern) =>
        "/"
        + Parameter()
            .Replace(
                pattern.TrimStart('/'),
                match =>
                    match.Value.Contains(":guid", StringComparison.Ordinal) ? "0198a000-0000-7000-8000-000000000002"
                    : match.Value.Contains("verb", StringComparison.Ordinal) ? "run"
                    : "none"
            );

    private async Task<HttpClient> LoggedInAsync()
    {
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
            "nora",
            OperatorRole.Admin,
            Password,
            null,
            default
        );
        var browser = NewBrowser();
        using var answer = await browser.PostAsync(
            new Uri("/login", UriKind.Relative),
            new FormUrlEncodedContent([new("name", "nora"), new("password", Password)])
        );
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        return browser;
    }

    private HttpClient NewBrowser() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true })
        {
            BaseAddress = Dashboard.Address,
        };

    [GeneratedRegex(@"\{[^{}]*(\{[^{}]*\}[^{}]*)*\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("name=\"_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Token();
}
