using Orders.Dashboard.Auth;
using Orders.Dashboard.Login;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Api.Accounts;

/// <summary>Operators: list, make, disable, enable, role and password. What changes one may name the version it saw.</summary>
internal static class OperatorAccountsApi
{
    private const string List = "/api/operators";

    public static void Map(RouteGroupBuilder api)
    {
        var operators = api.MapGroup("/operators");
        operators
            .MapGet(
                "",
                async (OperatorReader all, CancellationToken cancellationToken) =>
                    Results.Ok(await all.ListAsync(cancellationToken))
            )
            .Needs(OperatorRole.Admin);
        operators.MapPost("", CreateAsync).Needs(OperatorRole.Admin);
        operators
            .MapPut(
                "/{name}/role",
                (string name, RoleChange change, Changing changing) =>
                    changing.RunAsync(
                        change.Reason,
                        name,
                        (acting, reason) =>
                            changing.Accounts.ChangeRoleAsync(
                                acting,
                                reason,
                                name,
                                change.Version,
                                RoleOf(change.Role),
                                changing.Aborted
                            )
                    )
            )
            .Needs(OperatorRole.Admin);
        operators
            .MapPost(
                "/{name}/{verb:regex(^(disable|enable)$)}",
                (string name, string verb, StateChange change, Changing changing) =>
                    changing.RunAsync(
                        change.Reason,
                        name,
                        (acting, reason) =>
                            changing.Accounts.SetDisabledAsync(
                                acting,
                                reason,
                                name,
                                change.Version,
                                verb == "disable",
                                changing.Aborted
                            )
                    )
            )
            .Needs(OperatorRole.Admin);
        operators.MapPut("/{name}/password", ResetPasswordAsync).Needs(OperatorRole.Admin);
        OperatorKeysApi.Map(operators);
    }

    // Without a password in the body one is made up and answered, this once.
    private static Task<IResult> ResetPasswordAsync(string name, PasswordChange change, Changing changing)
    {
        var made = change.Password is null ? NewPassword.Make(name) : null;
        return changing.RunAsync(
            change.Reason,
            name,
            (acting, reason) =>
                changing.Accounts.ResetPasswordAsync(
                    acting,
                    reason,
                    name,
                    change.Version,
                    change.Password ?? made!,
                    changing.Aborted
                ),
            made is null ? null : Results.Ok(new { name, password = made })
        );
    }

    private static Task<IResult> CreateAsync(NewOperator wanted, HttpContext context, OperatorAccounts accounts)
    {
        var name = wanted.Name ?? "";
        var made = wanted is { Password: null, WithPassword: true } ? NewPassword.Make(name) : null;
        return AccountAnswers.ForAsync(
            wanted.Reason,
            async reason =>
            {
                await accounts.CreateAsync(
                    ActingSecret.Of(context),
                    reason,
                    name,
                    RoleOf(wanted.Role),
                    wanted.Password ?? made,
                    context.RequestAborted
                );
                return Results.Created(List, new { name, password = made });
            }
        );
    }

    // Nobody gets a role that no admin has written.
    private static OperatorRole RoleOf(OperatorRole? role) =>
        role
        ?? throw new AccountRefusedException(
            AccountRefusal.Invalid,
            "role must be Viewer, Operator or Admin; found none"
        );

    /// <summary>A change of one operator, for the handlers above: what they all take from the request.</summary>
    private sealed record Changing(HttpContext Context, OperatorAccounts Accounts, KnownSessions Known)
    {
        public CancellationToken Aborted => Context.RequestAborted;

        public static ValueTask<Changing> BindAsync(HttpContext context) =>
            new(
                new Changing(
                    context,
                    context.RequestServices.GetRequiredService<OperatorAccounts>(),
                    context.RequestServices.GetRequiredService<KnownSessions>()
                )
            );

        public Task<IResult> RunAsync(
            string? reason,
            string name,
            Func<byte[], string, Task> change,
            IResult? answer = null
        ) =>
            AccountAnswers.ForAsync(
                reason,
                async why =>
                {
                    await change(ActingSecret.Of(Context), why);
                    Known.ForgetAllOf(name);
                    return answer ?? Results.NoContent();
                }
            );
    }

    private sealed record NewOperator(
        OperatorRole? Role = null,
        string? Name = null,
        string? Password = null,
        bool WithPassword = false,
        string? Reason = null
    );

    private sealed record RoleChange(OperatorRole? Role = null, int? Version = null, string? Reason = null);

    private sealed record StateChange(int? Version = null, string? Reason = null);

    private sealed record PasswordChange(string? Password = null, int? Version = null, string? Reason = null);
}
