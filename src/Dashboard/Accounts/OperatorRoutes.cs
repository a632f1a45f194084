using Orders.Dashboard.Auth;
using Orders.Dashboard.Login;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Accounts;

/// <summary>The page of operators: accounts, roles, passwords and their keys. For admins only.</summary>
internal static class OperatorRoutes
{
    private const string Here = "/operators";
    private const string Place = "Operators";

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                Here,
                async (OperatorReader operators, Loader loader, HttpContext http) =>
                    Page.Of<OperatorsPage>(
                        new
                        {
                            Operators = await loader.LoadAsync(
                                "the operators",
                                operators.ListAsync,
                                http.RequestAborted
                            ),
                        }
                    )
            )
            .Needs(OperatorRole.Admin);
        pages.MapPost(Here, CreateAsync).Needs(OperatorRole.Admin);
        pages.MapPost("/operators/{name}/role", ChangeRoleAsync).Needs(OperatorRole.Admin);
        pages.MapPost("/operators/{name}/{verb:regex(^(disable|enable)$)}", SetDisabledAsync).Needs(OperatorRole.Admin);
        pages.MapPost("/operators/{name}/password", ResetPasswordAsync).Needs(OperatorRole.Admin);
        pages.MapPost("/operators/{name}/keys", CreateKeyAsync).Needs(OperatorRole.Admin);
        KeyChangeForms.Map<OperatorKeys>(pages, "/operators/keys", Here, Key, name => $"The key of {name} is revoked.");
    }

    private static Task<IResult> CreateAsync(OperatorAccounts accounts, HttpContext http) =>
        AccountForm.HandleAsync(
            http,
            Here,
            async form =>
            {
                var name = form.Fields["name"].ToString().Trim();
                var password = form.Fields["with"] == "password" ? NewPassword.Make(name) : null;
                await accounts.CreateAsync(form.Acting, form.Reason, name, RoleIn(form), password, form.Aborted);
                return password is null
                    ? Form.Back(Here, $"Operator {name} is made; make a key for it.")
                    : Password(name, password);
            }
        );

    private static Task<IResult> ChangeRoleAsync(
        string name,
        OperatorAccounts accounts,
        KnownSessions known,
        HttpContext http
    ) =>
        AccountForm.HandleAsync(
            http,
            Here,
            async form =>
            {
                var role = RoleIn(form);
                await accounts.ChangeRoleAsync(form.Acting, form.Reason, name, form.Version, role, form.Aborted);
                known.ForgetAllOf(name);
                return Form.Back(Here, $"{name} has the role {role.ToString().ToLowerInvariant()}.");
            }
        );

    private static Task<IResult> SetDisabledAsync(
        string name,
        string verb,
        OperatorAccounts accounts,
        KnownSessions known,
        HttpContext http
    ) =>
        AccountForm.HandleAsync(
            http,
            Here,
            async form =>
            {
                await accounts.SetDisabledAsync(
                    form.Acting,
                    form.Reason,
                    name,
                    form.Version,
                    verb == "disable",
                    form.Aborted
                );
                known.ForgetAllOf(name);
                return Form.Back(Here, $"{name} is {verb}d.");
            }
        );

    private static Task<IResult> ResetPasswordAsync(
        string name,
        OperatorAccounts accounts,
        KnownSessions known,
        HttpContext http
    ) =>
        AccountForm.HandleAsync(
            http,
            Here,
            async form =>
            {
                var password = NewPassword.Make(name);
                await accounts.ResetPasswordAsync(form.Acting, form.Reason, name, form.Version, password, form.Aborted);
                known.ForgetAllOf(name);
                return Password(name, password);
            }
        );

    private static Task<IResult> CreateKeyAsync(string name, OperatorKeys keys, HttpContext http) =>
        AccountForm.HandleAsync(
            http,
            Here,
            async form => Key(await keys.CreateAsync(form.Acting, form.Reason, name, form.ExpiresAt, form.Aborted))
        );

    private static OperatorRole RoleIn(AccountForm form) =>
        Enum.TryParse<OperatorRole>(form.Fields["role"], out var role) && Enum.IsDefined(role)
            ? role
            : throw new AccountRefusedException(AccountRefusal.Invalid, "Choose a role.");

    private static PageResult<SecretPage> Password(string name, string password) =>
        Secret($"Password of {name}", $"{name} logs in with it, and can change it.", password);

    private static PageResult<SecretPage> Key(MadeKey made) =>
        Secret($"Key of {made.Owner}", "The operator API takes it as a bearer token.", made.Key);

    private static PageResult<SecretPage> Secret(string title, string detail, string secret) =>
        Page.Of<SecretPage>(
            new
            {
                Title = title,
                At = Place,
                Detail = detail,
                Secret = secret,
                Back = Here,
            }
        );
}
