using Orders.Dashboard.Auth;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Api.Accounts;

/// <summary>Rotates and revokes keys, of operators and of API clients alike.</summary>
internal static class KeyChangesApi
{
    /// <summary>Maps both below the address of the keys.</summary>
    /// <typeparam name="TKeys">The keys.</typeparam>
    /// <param name="keys">The address of the keys.</param>
    /// <param name="list">Where they are listed.</param>
    public static void Map<TKeys>(RouteGroupBuilder keys, string list)
        where TKeys : ChangingKeys
    {
        keys.MapPost(
                "/{id:guid}/rotate",
                (Guid id, KeyRotation terms, HttpContext context, CancellationToken cancellationToken) =>
                    AccountAnswers.ForAsync(
                        terms.Reason,
                        async reason =>
                            AccountAnswers.Made(
                                await Of(context)
                                    .RotateAsync(
                                        ActingSecret.Of(context),
                                        reason,
                                        id,
                                        terms.Overlap,
                                        terms.ExpiresAt,
                                        cancellationToken
                                    ),
                                list
                            )
                    )
            )
            .Needs(OperatorRole.Admin);
        keys.MapPost(
                "/{id:guid}/revoke",
                (Guid id, KeyRevocation because, HttpContext context, CancellationToken cancellationToken) =>
                    AccountAnswers.ForAsync(
                        because.Reason,
                        async reason =>
                        {
                            await Of(context).RevokeAsync(ActingSecret.Of(context), reason, id, cancellationToken);
                            return Results.NoContent();
                        }
                    )
            )
            .Needs(OperatorRole.Admin);

        // Not a parameter of the handlers: the framework's analyzer cannot read one of a generic type.
        TKeys Of(HttpContext context) => context.RequestServices.GetRequiredService<TKeys>();
    }
}
