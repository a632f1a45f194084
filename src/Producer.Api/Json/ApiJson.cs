using System.Text.Json.Serialization;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Orders;
using Orders.Producer.Api.Watching;
using Orders.Producer.Api.Webhooks;

namespace Orders.Producer.Api.Json;

/// <summary>
/// How the API's answers look as JSON: generated when compiling, statuses by name, in the order of the records'
/// members.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(AcceptedOrder))]
[JsonSerializable(typeof(OrderAnswer))]
[JsonSerializable(typeof(OrderPage))]
[JsonSerializable(typeof(CatalogueArticle[]))]
[JsonSerializable(typeof(OrderEvent))]
[JsonSerializable(typeof(StepEvent))]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(BatchRequest))]
[JsonSerializable(typeof(BatchAnswer))]
[JsonSerializable(typeof(ProblemAnswer))]
[JsonSerializable(typeof(WebhookRequest))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(WebhookAnswer[]))]
[JsonSerializable(typeof(WebhookWithSecret))]
[JsonSerializable(typeof(TestedWebhook))]
[JsonSerializable(typeof(DeliveryAnswer[]))]
internal sealed partial class ApiJson : JsonSerializerContext;
