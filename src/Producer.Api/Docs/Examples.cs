using System.Text.Json.Nodes;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Docs;

/// <summary>The examples of the documentation: one order, followed through the API.</summary>
internal static class Examples
{
    private const string Id = "019ab1c2-7d3e-7f00-8a1b-5c9d2e4f6a70";

    /// <summary>An order to post.</summary>
    public static JsonNode Order() =>
        JsonNode.Parse(
            """
            { "customer": { "name": "Zoë Müller", "email": "zoe@example.com", "locale": "de" },
              "lines": [ { "sku": "MUG-BLUE", "quantity": 2 } ],
              "currency": "EUR",
              "shippingAddress": { "line1": "Hafenstr. 1", "city": "Hamburg", "postalCode": "20457", "country": "DE" },
              "premium": false, "notes": "ring twice", "releaseAt": null }
            """
        )!;

    /// <summary>A web hook to register.</summary>
    public static JsonNode Webhook() =>
        JsonNode.Parse(
            """{ "url": "https://shop.example/events", "events": ["order.completed", "order.rejected"] }"""
        )!;

    /// <summary>An answer; null when there is nothing to show.</summary>
    public static JsonNode? Answer(string? operation, string status) =>
        (operation, status) switch
        {
            ("PostOrder", "202") => Accepted(),
            ("PostOrderBatch", "200") => new JsonObject
            {
                ["results"] = new JsonArray(new JsonObject { ["status"] = 202, ["order"] = Accepted() }),
            },
            ("PostOrder", "422") => Refused(ProblemKinds.InvalidOrder, "/lines/0/quantity", "must be 1–1000"),
            ("PostOrder", "400") => Refused(ProblemKinds.MalformedBody, "/customer/email", "is required"),
            ("GetOrder", "200") => JsonNode.Parse(
                $$"""
                { "id": "{{Id}}", "number": "O-00000042", "status": "Completed", "premium": false,
                  "customer": { "name": "Zoë Müller", "email": "zoe@example.com", "locale": "de" },
                  "lines": [ { "sku": "MUG-BLUE", "name": "Mug, blue", "quantity": 2, "unitPrice": 12.90, "total": 25.80, "vatRate": 19.00 } ],
                  "total": 25.80, "currency": "EUR", "createdAt": "2026-11-23T09:30:00.123456Z", "completedAt": "2026-11-23T09:30:00.323456Z",
                  "steps": [ { "step": "email", "status": "Done", "attempts": 1, "startedAt": "2026-11-23T09:30:00.133456Z", "finishedAt": "2026-11-23T09:30:00.163456Z",
                               "nextAttemptAt": null, "lastFault": null, "lastFaultCode": null, "undoneAt": null, "reports": [] } ],
                  "invoice": { "number": "INV-00000042", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "url": "/orders/{{Id}}/invoice.pdf" },
                  "creditNote": null, "cancelledAt": null }
                """
            ),
            ("PostWebhook", "201") => JsonNode.Parse(
                $$"""
                { "id": "{{Id}}", "url": "https://shop.example/events", "events": ["order.completed", "order.rejected"],
                  "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=", "createdAt": "2026-11-23T09:30:00.123456Z", "previousSecretUntil": null }
                """
            ),
            ("PostWebhook", "422") => Refused(
                ProblemKinds.InvalidWebhook,
                "/url",
                "must be an address in the internet: private and local ones are refused"
            ),
            ("GetOrderEvents", "200") => JsonValue.Create(
                $$"""event: step{{"\n"}}data: {"orderId":"{{Id}}","status":"Processing","step":"email","stepStatus":"Done","attempts":1,"at":"2026-11-23T09:30:00.163456Z"}{{"\n\n"}}"""
            ),
            _ => null,
        };

    private static JsonNode Accepted() =>
        JsonNode.Parse(
            $$"""
            { "id": "{{Id}}", "number": "O-00000042", "status": "Accepted", "total": 25.80, "currency": "EUR", "createdAt": "2026-11-23T09:30:00.123456Z" }
            """
        )!;

    private static JsonObject Refused(ProblemKind kind, string pointer, string message) =>
        new()
        {
            ["type"] = kind.Type,
            ["title"] = kind.Title,
            ["status"] = kind.Status,
            ["detail"] = "Every fault is listed under errors, by JSON pointer.",
            ["traceId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
            ["errors"] = new JsonObject { [pointer] = new JsonArray(message) },
        };
}
