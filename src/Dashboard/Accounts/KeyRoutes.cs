using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Keys;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Accounts;

/// <summary>The page of API clients' keys. For admins only.</summary>
internal static class KeyRoutes
{
    private const string Here = "/keys";

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                Here,
                async (ClientKeys keys, Loader loader, HttpContext http) =>
                    Page.Of<KeysPage>(
                        new
                        {
                            Keys = await loader.LoadAsync(
                                "the keys",
                                token => keys.ListAsync(null, token),
                                http.RequestAborted
                            ),
                        }
                    )
            )
            .Needs(OperatorRole.Admin);
        pages.MapPost(Here, CreateAsync).Needs(OperatorRole.Admin);
        KeyChangeForms.Map<ClientKeys>(
            pages,
            Here,
            Here,
            Made,
            client => $"The key of {client} is revoked; the API refuses it within 5 s."
        );
    }

    private static Task<IResult> CreateAsync(ClientKeys keys, HttpContext http) =>
        AccountForm.HandleAsync(
            http,
            Here,
            async form =>
                Made(
                    await keys.CreateAsync(
                        form.Acting,
                        form.Reason,
                        form.Fields["client"].ToString().Trim(),
                        form.Fields["scope"].OfType<string>().ToArray(),
                        form.ExpiresAt,
                        form.Aborted
                    )
                )
        );

    private static PageResult<SecretPage> Made(MadeKey made) =>
        Page.Of<SecretPage>(
            new
            {
                Title = $"Key of {made.Owner}",
                At = "API keys",
                Detail = "The API takes it as a bearer token.",
                Secret = made.Key,
                Back = Here,
            }
        );
}
