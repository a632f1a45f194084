using Orders.Dashboard.Auth;
using Orders.Infrastructure.Keys;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api.Accounts;

/// <summary>Keys of API clients: list, make, rotate, revoke.</summary>
internal static class ClientKeysApi
{
    private const string List = "/api/keys";

    public static void Map(RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/keys");
        keys.MapGet(
                "",
                async (string? client, ClientKeys all, CancellationToken cancellationToken) =>
                    Results.Ok(await all.ListAsync(client, cancellationToken))
            )
            .Needs(OperatorRole.Admin);
        keys.MapPost(
                "",
                (NewClientKey wanted, HttpContext context, ClientKeys all, CancellationToken cancellationToken) =>
                    AccountAnswers.ForAsync(
                        wanted.Reason,
                        async reason =>
                            AccountAnswers.Made(
                                await all.CreateAsync(
                                    ActingSecret.Of(context),
                                    reason,
                                    wanted.Client ?? "",
                                    wanted.Scopes ?? [],
                                    wanted.ExpiresAt,
                                    cancellationToken
                                ),
                                List
                            )
                    )
            )
            .Needs(OperatorRole.Admin);
        KeyChangesApi.Map<ClientKeys>(keys, List);
    }

    private sealed record NewClientKey(
        string? Client = null,
        string[]? Scopes = null,
        DateTimeOffset? ExpiresAt = null,
        string? Reason = null
    );
}
