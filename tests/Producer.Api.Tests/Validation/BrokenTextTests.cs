using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;

namespace Orders.Producer.Api.Tests.Validation;

/// <summary>
/// NUL, half a character, a member twice, at every route of the API: the caller's mistake, and no fault of ours.
/// </summary>
internal sealed partial class BrokenTextTests : ApiFixture
{
    private static readonly string[] Queries =
    [
        "status=%00",
        "from=%00&to=%00&cursor=%00&limit=%00",
        "cursor=a%00b",
        "%00=x",
        "cursor=%ED%A0%80",
        $"cursor={new string('x', 4000)}",
    ];

    private static readonly string[] Bodies =
    [
        """{"url":"https://shop.example/\u0000"}""",
        """{"url":"https://shop.example/\ud800"}""",
        """{"\ud800":1}""",
        """{"url":"a","url":"b"}""",
        $$"""{"url":"https://shop.example/{{new string('x', 20_000)}}"}""",
        SampleOrder.WithNotes("\"\\u0000\""),
        SampleOrder.WithNotes("\"\\udc00\""),
        "\"\\ud800\"",
        "[\"\\u0000\"]",
    ];

    [Test]
    public async Task No_text_of_a_request_makes_a_fault_of_ours()
    {
        const string carol = "ok_CarolMayAllCarolMayAllCarolMayAllCarolMayAl";
        await AddKeyAsync("carol", carol, "orders:write", "orders:read", "webhooks:write");
        var (wrong, sent) = (new List<string>(), 0);
        foreach (var (method, path) in Routes())
        {
            foreach (var query in Queries)
                await TryAsync($"{path}?{query}", null);
            if (method == "GET")
                continue;
            foreach (var body in Bodies)
                await TryAsync(path, body);

            async Task TryAsync(string address, string? body)
            {
                var answer = await SendAsync(
                    new HttpMethod(method),
                    address,
                    carol,
                    body is null ? null : Json(Encoding.UTF8.GetBytes(body))
                );
                sent++;
                if (answer.Status >= 500)
                    wrong.Add($"{answer.Status} {method} {address}: {body}");
            }
        }

        Assert.That(wrong, Is.Empty, string.Join('\n', wrong.Take(20)));
        Assert.That(sent, Is.GreaterThan(50));
    }

    private IEnumerable<(string Method, string Path)> Routes() =>
        ((EndpointDataSource)Api.Services.GetService(typeof(EndpointDataSource))!)
            .Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText?.StartsWith("/health", StringComparison.Ordinal) == false)
            .SelectMany(e =>
                (e.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []).Select(method =>
                    (method, Parameter().Replace(e.RoutePattern.RawText!, "0198a000-0000-7000-8000-000000000002"))
                )
            )
            .Distinct();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Parameter();
}
