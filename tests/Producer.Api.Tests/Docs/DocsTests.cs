using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Orders.Producer.Api.Docs;

namespace Orders.Producer.Api.Tests.Docs;

internal sealed class DocsTests : ApiFixture
{
    // Attack: the description is asked for without a key, in ever new ways, because making it takes processor.
    [TestCase("/openapi/v1.json?x=1", null)]
    [TestCase("/openapi/v1.json", "ok_made-up")]
    public async Task Every_way_to_ask_for_the_description_gets_the_one_that_was_made(string path, string? key)
    {
        var texts = Api.Services.GetRequiredService<DescriptionText>();
        var made = await texts.ReadAsync();
        Assert.That((await GetAsync(path, key)).Text, Is.EqualTo(Encoding.UTF8.GetString(made)));
        Assert.That(await texts.ReadAsync(), Is.SameAs(made));
        Assert.That((await GetAsync("/openapi/v2.json", null)).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task The_description_names_every_address_with_its_refusals()
    {
        var document = (await GetAsync("/openapi/v1.json", null)).Body;
        var operations = document["paths"]!
            .AsObject()
            .SelectMany(p =>
                p.Value!.AsObject().Select(o => (Name: $"{o.Key.ToUpperInvariant()} {p.Key}", Operation: o.Value!))
            )
            .ToArray();
        Assert.That(
            operations.Select(o => o.Name),
            Is.EquivalentTo(
                new[]
                {
                    "POST /orders",
                    "GET /orders",
                    "POST /orders/batch",
                    "GET /orders/{id}",
                    "GET /orders/{id}/invoice.pdf",
                    "GET /orders/{id}/events",
                    "GET /catalogue",
                    "GET /orders/{id}/credit-note.pdf",
                    "POST /orders/{id}/cancel",
                    "POST /webhooks",
                    "GET /webhooks",
                    "GET /webhooks/{id}",
                    "DELETE /webhooks/{id}",
                    "POST /webhooks/{id}/rotate-secret",
                    "POST /webhooks/{id}/test",
                    "GET /webhooks/{id}/deliveries",
                }
            )
        );
        foreach (var (name, operation) in operations)
        {
            Assert.That(operation["summary"]?.GetValue<string>(), Is.Not.Empty, name);
            Assert.That(operation["security"]!.ToJsonString(), Does.Contain("ApiKey"), name);
            foreach (var status in new[] { "401", "403", "429", "503" })
                Assert.That(
                    operation["responses"]![status]!["content"]!["application/problem+json"]!["schema"]![
                        "$ref"
                    ]!.GetValue<string>(),
                    Does.EndWith("/ProblemAnswer"),
                    $"{name} {status}"
                );
        }
    }

    [Test]
    public async Task Every_reference_of_the_description_leads_somewhere()
    {
        var document = (await GetAsync("/openapi/v1.json", null)).Body;
        Assert.That(document["openapi"]!.GetValue<string>(), Does.StartWith("3."));
        var references = Regex
            .Matches(document.ToJsonString(), "\"\\$ref\":\"#/([^\"]+)\"")
            .Select(m => m.Groups[1].Value)
            .Distinct()
            .ToArray();
        Assert.That(references, Is.Not.Empty);
        foreach (var reference in references)
            Assert.That(
                reference.Split('/').Aggregate((JsonNode?)document, (node, name) => node?[name]),
                Is.Not.Null,
                reference
            );
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var name in Regex.Matches(path, "{([a-z]+)}").Select(m => m.Groups[1].Value))
                Assert.That(
                    operations!
                        .AsObject()
                        .Select(o =>
                            o.Value!["parameters"]!.AsArray().Any(p => p!["name"]!.GetValue<string>() == name)
                        ),
                    Is.All.True,
                    $"{path} describes {name}"
                );
        }
    }

    [Test]
    public async Task The_example_of_the_description_is_accepted()
    {
        var document = (await GetAsync("/openapi/v1.json", null)).Body;
        var example = document["paths"]!["/orders"]!["post"]!["requestBody"]!["content"]!["application/json"]![
            "example"
        ]!.ToJsonString();
        Assert.That((await PostAsync(example)).Status, Is.EqualTo(202));
        var batch = document["paths"]!["/orders/batch"]!["post"]!["requestBody"]!["content"]!["application/json"]![
            "example"
        ]!.ToJsonString();
        Assert.That(
            (await SendAsync(HttpMethod.Post, "/orders/batch", Alice, Json(batch))).Body["results"]![0]![
                "status"
            ]!.GetValue<int>(),
            Is.EqualTo(202)
        );
    }

    [Test]
    public async Task Answers_have_the_members_that_the_description_lists()
    {
        var schemas = (await GetAsync("/openapi/v1.json", null)).Body["components"]!["schemas"]!;
        var id = await OrderAsync();
        var order = (await GetAsync($"/orders/{id}")).Body;
        var refused = await PostAsync("{}");
        Assert.Multiple(() =>
        {
            Assert.That(Members(order), Is.EquivalentTo(Members(schemas["OrderAnswer"]!["properties"]!)));
            Assert.That(Members(order["steps"]![0]!), Is.EquivalentTo(Members(schemas["StepAnswer"]!["properties"]!)));
            Assert.That(Members(order["lines"]![0]!), Is.EquivalentTo(Members(schemas["LineAnswer"]!["properties"]!)));
            Assert.That(Members(refused.Body), Is.EquivalentTo(Members(schemas["ProblemAnswer"]!["properties"]!)));
            Assert.That(
                Members(schemas["OrderRequest"]!["properties"]!),
                Is.EquivalentTo(Members(JsonNode.Parse(SampleOrder.Text)!))
            );
        });

        static IEnumerable<string> Members(JsonNode node) => node.AsObject().Select(m => m.Key);
    }

    [Test]
    public async Task The_pages_come_from_here_and_from_nowhere_else()
    {
        var page = await GetAsync("/docs/", null);
        Assert.That(page.Status, Is.EqualTo(200));
        Assert.That(
            page.Text,
            Does.Not.Contain("//fonts.").And.Not.Match("""(src|href|url)\s*[=:(]\s*["']?(https?:)?//""")
        );
        Assert.That(
            page.Headers["Content-Security-Policy"],
            Does.Contain("default-src 'none'").And.Contains("connect-src 'self'").And.Not.Contain("http")
        );
        foreach (var script in Regex.Matches(page.Text, "src=\"([^\"]+)\"").Select(m => m.Groups[1].Value))
            Assert.That((await GetAsync($"/docs/{script}", null)).Status, Is.EqualTo(200), script);
    }
}
