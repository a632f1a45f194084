using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Intake;

namespace Orders.Producer.Api.Docs;

/// <summary>What the OpenAPI document says beyond what the endpoints say themselves.</summary>
internal static class ApiDescription
{
    /// <summary>The name of the security scheme.</summary>
    public const string SecurityScheme = "ApiKey";

    /// <summary>The name of the document.</summary>
    public const string Document = "v1";

    private const string KeyPattern = """^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-+\--~]{1,255})$""";

    /// <summary>Adds the document.</summary>
    public static IServiceCollection AddApiDescription(this IServiceCollection services) =>
        services
            .AddSingleton<DescriptionText>()
            .ConfigureHttpJsonOptions(o =>
            {
                o.SerializerOptions.TypeInfoResolverChain.Insert(0, Json.ApiJson.Default);
                o.SerializerOptions.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
            })
            .AddOpenApi(
                Document,
                o =>
                {
                    o.AddDocumentTransformer((document, _, _) => Describe(document));
                    o.AddOperationTransformer(Describe);
                }
            );

    private static Task Describe(OpenApiDocument document)
    {
        document.Info.Title = "Orders";
        document.Info.Version = "v1";
        document.Info.Description =
            "Takes orders, answers at once, and lets separate processes do the work behind them. Every refusal is application/problem+json with a stable type.";
        // Without a host: the document is right wherever it is served from.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [SecurityScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key: ok_ and 43 characters.",
            },
        };
        return Task.CompletedTask;
    }

    private static Task Describe(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<RequiredScope>().FirstOrDefault() is { } scope)
        {
            operation.Security =
            [
                new OpenApiSecurityRequirement
                {
                    [new OpenApiSecuritySchemeReference(SecurityScheme, context.Document)] = [],
                },
            ];
            operation.Description += $" Scope: {scope.Name}.";
        }

        if (operation.OperationId == "PostOrder")
            DescribePostOrder(operation);
        if (operation.OperationId == "PostOrderBatch")
            SetExample(operation.RequestBody?.Content, new JsonObject { ["orders"] = new JsonArray(Examples.Order()) });
        if (operation.OperationId == "PostWebhook")
            SetExample(operation.RequestBody?.Content, Examples.Webhook());
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
            DescribeParameter(parameter);
        foreach (var (status, response) in operation.Responses ?? [])
        {
            SetExample(response.Content, Examples.Answer(operation.OperationId, status));
            if (status is "429" or "503" && response is OpenApiResponse refusal)
                AddHeader(refusal, "Retry-After", "Seconds to wait.");
        }

        return Task.CompletedTask;
    }

    private static void DescribePostOrder(OpenApiOperation operation)
    {
        (operation.Parameters ??= []).Add(
            new OpenApiParameter
            {
                Name = IdempotencyKey.Header,
                In = ParameterLocation.Header,
                Description =
                    "Names the request: the same key and body again give the same order, with Idempotency-Replayed: true. 1–255 printable ASCII characters, in quotes (RFC 9651 string) or, without blanks, commas and quotes, as they are.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = KeyPattern },
            }
        );
        SetExample(operation.RequestBody?.Content, Examples.Order());
        if (operation.Responses?.GetValueOrDefault("202") is OpenApiResponse accepted)
        {
            AddHeader(accepted, "Location", "Where the order can be looked at.");
            AddHeader(
                accepted,
                IdempotencyKey.ReplayedHeader,
                "true when the order had been made by an earlier request with the same key."
            );
        }
    }

    private static void DescribeParameter(OpenApiParameter parameter)
    {
        parameter.Description ??= parameter.Name switch
        {
            "id" => "The id of the order or of the web hook.",
            "status" =>
                "Only orders in this status: Accepted, Processing, Completed, Rejected, Cancelled or NeedsAttention.",
            "from" => "Only orders accepted at this moment or later: RFC 3339 with an offset.",
            "to" => "Only orders accepted before this moment: RFC 3339 with an offset.",
            "cursor" => "The nextCursor of the page before.",
            "limit" => "Orders on a page, 1–200; 50 when absent.",
            _ => null,
        };
        if (parameter.Name == "limit")
            parameter.Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Integer,
                Minimum = "1",
                Maximum = "200",
                Default = 50,
            };
        if (parameter.Name is "from" or "to")
            parameter.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" };
    }

    private static void AddHeader(OpenApiResponse response, string name, string description)
    {
        response.Headers ??= new Dictionary<string, IOpenApiHeader>();
        response.Headers[name] = new OpenApiHeader
        {
            Description = description,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };
    }

    private static void SetExample(IDictionary<string, OpenApiMediaType>? content, JsonNode? example)
    {
        foreach (var media in content?.Values ?? [])
            media.Example = example?.DeepClone();
    }
}
