using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Accounts;

/// <summary>The forms that rotate and revoke a key, of operators and of API clients alike.</summary>
internal static class KeyChangeForms
{
    /// <summary>Maps both.</summary>
    /// <typeparam name="TKeys">The keys.</typeparam>
    /// <param name="pages">The pages.</param>
    /// <param name="keys">The address of the keys.</param>
    /// <param name="page">The page that has the forms.</param>
    /// <param name="made">Shows a new key, this once.</param>
    /// <param name="revoked">What is said after a key was revoked, by its owner.</param>
    public static void Map<TKeys>(
        RouteGroupBuilder pages,
        string keys,
        string page,
        Func<MadeKey, IResult> made,
        Func<string, string> revoked
    )
        where TKeys : ChangingKeys
    {
        pages
            .MapPost(
                $"{keys}/{{id:guid}}/rotate",
                (Guid id, HttpContext http) =>
                    AccountForm.HandleAsync(
                        http,
                        page,
                        async form =>
                            made(
                                await Of(http)
                                    .RotateAsync(
                                        form.Acting,
                                        form.Reason,
                                        id,
                                        form.Overlap,
                                        form.ExpiresAt,
                                        form.Aborted
                                    )
                            )
                    )
            )
            .Needs(OperatorRole.Admin);
        pages
            .MapPost(
                $"{keys}/{{id:guid}}/revoke",
                (Guid id, HttpContext http) =>
                    AccountForm.HandleAsync(
                        http,
                        page,
                        async form =>
                            Form.Back(
                                page,
                                revoked(await Of(http).RevokeAsync(form.Acting, form.Reason, id, form.Aborted))
                            )
                    )
            )
            .Needs(OperatorRole.Admin);

        // Not a parameter of the handlers: the framework's analyzer cannot read one of a generic type.
        TKeys Of(HttpContext http) => http.RequestServices.GetRequiredService<TKeys>();
    }
}
