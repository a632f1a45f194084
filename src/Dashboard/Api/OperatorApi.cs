using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Orders.Dashboard.Accounts;
using Orders.Dashboard.Api.Accounts;
using Orders.Dashboard.Auth;
using Orders.Dashboard.BulkPages;
using Orders.Dashboard.Failures;
using Orders.Dashboard.Mcp;
using Orders.Dashboard.Queues;
using Orders.Dashboard.Schedules;
using Orders.Infrastructure.Keys;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Api;

/// <summary>
/// The map of the operator API: one file per area, each with a <c>Map</c> that adds its endpoints to <c>/api</c>. Only
/// keys are accepted here: what a browser sends by itself, a cookie, opens nothing, so no other site can act through an
/// operator's browser. Every endpoint asks for a role with <c>Needs</c>; one that changes something writes an audit
/// record in the transaction of the change.
/// </summary>
internal static class OperatorApi
{
    // A redrive or a restore may name 100,000 failures by their ids.
    private const long MostBytes = 4 * 1024 * 1024;

    /// <summary>Adds what the endpoints stand on.</summary>
    public static IServiceCollection AddOperatorApi(this IServiceCollection services) =>
        services
            .AddUpkeep()
            .AddOperatorMcp()
            .AddSingleton<PatchRight>()
            .AddSingleton<StepControls>()
            .AddSingleton<Breakers>()
            .AddSingleton<WorkerDrains>()
            .AddSingleton<WorkerAcknowledgements>()
            .AddSingleton<ScheduleConfirmation>()
            .AddSingleton<ScheduleFiles>()
            .AddSingleton<OperatorAccounts>()
            .AddSingleton<OperatorKeys>()
            .AddSingleton<OperatorReader>()
            .AddSingleton<ClientKeys>()
            .AddSingleton<OwnPassword>()
            .ConfigureHttpJsonOptions(json =>
            {
                json.SerializerOptions.Converters.Add(new JsonStringEnumConverter());
                json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
                json.SerializerOptions.TypeInfoResolver = new DefaultJsonTypeInfoResolver
                {
                    Modifiers = { UseWordsOfOrders },
                };
            });

    // The framework's filter speaks of subjects and their owners; clients of this API filter by order and customer.
    private static void UseWordsOfOrders(JsonTypeInfo type)
    {
        if (type.Type != typeof(FailureFilter))
            return;
        foreach (var property in type.Properties)
            property.Name = property.Name switch
            {
                "subject" => "order",
                "owner" => "customer",
                var name => name,
            };
    }

    /// <summary>Maps the endpoints.</summary>
    public static void MapOperatorApi(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api")
            .RequireAuthorization(
                new AuthorizationPolicyBuilder(KeyAuthentication.Scheme).RequireAuthenticatedUser().Build()
            )
            .WithMetadata(new RequestSizeLimitAttribute(MostBytes));
        FailuresApi.Map(api);
        RedrivesApi.Map(api);
        EffectsApi.Map(api);
        OperatorsApi.Map(api);
        OperatorAccountsApi.Map(api);
        ClientKeysApi.Map(api);
        AuditApi.Map(api);
        ControlsApi.Map(api);
        WorkersApi.Map(api);
        SchedulesApi.Map(api);
        ChangeableApi.Map(api);
        CompletenessApi.Map(api);
        DuplicatesApi.Map(api);
        FlowApi.Map(api);
        BulkApi.Map(api);
        QueuesApi.Map(api);
        CustomersApi.Map(api);
        McpEndpoint.Map(api);
    }
}
