using Orders.Dashboard.Auth;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Api.Accounts;

/// <summary>Keys of operators: make, rotate, revoke. They are listed with their operators.</summary>
internal static class OperatorKeysApi
{
    private const string List = "/api/operators";

    public static void Map(RouteGroupBuilder operators)
    {
        operators
            .MapPost(
                "/{name}/keys",
                (
                    string name,
                    NewOperatorKey wanted,
                    HttpContext context,
                    OperatorKeys keys,
                    CancellationToken cancellationToken
                ) =>
                    AccountAnswers.ForAsync(
                        wanted.Reason,
                        async reason =>
                            AccountAnswers.Made(
                                await keys.CreateAsync(
                                    ActingSecret.Of(context),
                                    reason,
                                    name,
                                    wanted.ExpiresAt,
                                    cancellationToken
                                ),
                                List
                            )
                    )
            )
            .Needs(OperatorRole.Admin);
        KeyChangesApi.Map<OperatorKeys>(operators.MapGroup("/keys"), List);
    }

    private sealed record NewOperatorKey(DateTimeOffset? ExpiresAt = null, string? Reason = null);
}
