using QueueWorkers.Hosting;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Oidc;

/// <summary>
/// Login of operators by an OpenID Connect provider, section <c>Oidc</c>. Off unless <see cref="Authority"/> is set; the
/// login by password stays.
/// </summary>
internal sealed record OidcOptions
{
    /// <summary>
    /// Issuer of the provider, such as <c>https://login.example.org/realms/shop</c>. Plain http only on this machine.
    /// </summary>
    public Uri? Authority { get; init; }

    /// <summary>Name of the dashboard at the provider.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Secret of the dashboard at the provider.</summary>
    public string ClientSecret { get; init; } = "";

    /// <summary>Scopes that are asked for, separated by spaces.</summary>
    public string Scopes { get; init; } = "openid profile";

    /// <summary>Claim of the id token that names the operator.</summary>
    public string NameClaim { get; init; } = "preferred_username";

    /// <summary>Claim of the id token that has the operator's roles, one or several.</summary>
    public string RoleClaim { get; init; } = "roles";

    /// <summary>
    /// Which value of that claim gives which role, such as <c>orders-admins=Admin, orders-support=Operator</c>. The
    /// highest one counts; who has none is refused.
    /// </summary>
    public string Roles { get; init; } = "";

    /// <summary>Text of the link on the login page.</summary>
    public string Label { get; init; } = "Log in with single sign-on";

    /// <summary>Whether operators may log in by a provider.</summary>
    public bool IsOn => Authority is not null;

    /// <summary>The role that a value of the claim gives.</summary>
    public IReadOnlyDictionary<string, OperatorRole> RoleOf =>
        Parts(Roles)
            .Select(RoleIn)
            .OfType<(string Value, OperatorRole Role)>()
            .DistinctBy(r => r.Value)
            .ToDictionary(r => r.Value, r => r.Role);

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static OidcOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Oidc");
        var defaults = new OidcOptions();
        var problems = new ConfigurationProblems();
        var text = section["Authority"] ?? "";
        var right =
            Uri.TryCreate(text, UriKind.Absolute, out var authority)
            && (authority.Scheme == "https" || (authority.Scheme == "http" && authority.IsLoopback));
        var options = new OidcOptions
        {
            Authority = right ? authority : null,
            ClientId = section["ClientId"] ?? "",
            ClientSecret = section["ClientSecret"] ?? "",
            Scopes = Given("Scopes") ?? defaults.Scopes,
            NameClaim = Given("NameClaim") ?? defaults.NameClaim,
            RoleClaim = Given("RoleClaim") ?? defaults.RoleClaim,
            Roles = section["Roles"] ?? "",
            Label = Given("Label") ?? defaults.Label,
        };
        problems.Require(
            right || text == "",
            $"Oidc:Authority must be an https address, or http on this machine, got '{text}'; set Oidc__Authority"
        );
        foreach (var part in Parts(options.Roles).Where(part => RoleIn(part) is null))
            problems.Require(
                false,
                $"Oidc:Roles must be values of a claim with their roles, such as orders-admins=Admin, got '{part}'; set Oidc__Roles"
            );
        if (right)
            problems
                .Require(options.ClientId != "", "Oidc:ClientId is missing beside Oidc:Authority; set Oidc__ClientId")
                .Require(
                    options.Roles != "",
                    "Oidc:Roles is missing beside Oidc:Authority: nobody would get a role; set Oidc__Roles"
                )
                .Require(
                    options.Scopes.Split(' ').Contains("openid"),
                    $"Oidc:Scopes must contain openid, got '{options.Scopes}'; set Oidc__Scopes"
                );
        problems.ThrowIfAny();
        return options;

        string? Given(string name) => section[name] is { Length: > 0 } given ? given : null;
    }

    private static string[] Parts(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static (string Value, OperatorRole Role)? RoleIn(string part) =>
        part.LastIndexOf('=') is > 0 and var at
        && Enum.TryParse<OperatorRole>(part[(at + 1)..].Trim(), ignoreCase: true, out var role)
        && Enum.IsDefined(role)
            ? (part[..at].Trim(), role)
            : null;
}
