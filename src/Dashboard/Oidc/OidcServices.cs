using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Orders.Dashboard.Login;
using QueueWorkers.Tls;

namespace Orders.Dashboard.Oidc;

/// <summary>
/// The login by a provider: authorization code with PKCE, state and nonce in cookies of the browser that began it. What
/// comes of it is a session like that of a password.
/// </summary>
internal static class OidcServices
{
    private const string Scheme = "oidc";

    // A login that takes longer than this was left alone.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    // The clocks of two machines differ by less.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>Adds it when the settings name a provider.</summary>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">With every problem found.</exception>
    public static IServiceCollection AddOidc(this IServiceCollection services, IConfiguration configuration)
    {
        var options = OidcOptions.Read(configuration);
        services.AddSingleton(options);
        if (!options.IsOn)
            return services;
        services.AddSingleton<OidcLogin>();
        services.AddSingleton<OidcLimits>();
        // The process keeps no keys (docs/adr/0081): a login that was begun before a restart is begun again.
        services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        services.AddAuthentication().AddOpenIdConnect(Scheme, oidc => Configure(oidc, options));
        return services;
    }

    /// <summary>Maps where a login begins; the provider sends the browser back to an address of the handler's.</summary>
    public static void MapOidc(this IEndpointRouteBuilder app)
    {
        if (!app.ServiceProvider.GetRequiredService<OidcOptions>().IsOn)
            return;
        app.MapGet("/login/oidc", BeginAsync).AllowAnonymous();
    }

    private static async Task BeginAsync(HttpContext http, OidcLogin login)
    {
        // Before anything is asked of the provider: its discovery, and a pushed request for each login.
        if (!await login.TryEnterAsync(http))
            return;
        try
        {
            await http.ChallengeAsync(
                Scheme,
                new AuthenticationProperties { RedirectUri = LoginRoutes.Local(http.Request.Query["return"]) }
            );
        }
        catch (Exception fault) when (OidcLogin.IsOfProvider(fault) && !http.RequestAborted.IsCancellationRequested)
        {
            await login.RefuseAsync(http, fault);
        }
    }

    private static void Configure(OpenIdConnectOptions oidc, OidcOptions options)
    {
        oidc.Authority = options.Authority!.ToString();
        oidc.RequireHttpsMetadata = options.Authority.Scheme == "https";
        oidc.ClientId = options.ClientId;
        oidc.ClientSecret = options.ClientSecret is "" ? null : options.ClientSecret;
        oidc.CallbackPath = "/login/oidc/callback";
        oidc.SignInScheme = SessionAuthentication.Scheme;
        oidc.ResponseType = OpenIdConnectResponseType.Code;
        // By GET: a form that the provider's page posts would come without the cookies that prove who began.
        oidc.ResponseMode = OpenIdConnectResponseMode.Query;
        oidc.UsePkce = true;
        oidc.MapInboundClaims = false;
        oidc.SaveTokens = false;
        oidc.GetClaimsFromUserInfoEndpoint = false;
        oidc.DisableTelemetry = true;
        oidc.RemoteAuthenticationTimeout = Longest;
        oidc.BackchannelTimeout = TimeSpan.FromSeconds(10);
        oidc.BackchannelHttpHandler = new TrustedHandler(
            new ServerTrust("The identity provider", CaFile: null)
            {
                HostSetting = "Oidc__Authority",
                WithoutTls = "Set Oidc__Authority to the port with TLS.",
            },
            new SocketsHttpHandler { AllowAutoRedirect = false }
        );
        oidc.TokenValidationParameters = new TokenValidationParameters
        {
            NameClaimType = options.NameClaim,
            RoleClaimType = options.RoleClaim,
            ClockSkew = ClockSkew,
        };
        oidc.Scope.Clear();
        foreach (var scope in options.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            oidc.Scope.Add(scope);
        foreach (var cookie in (CookieBuilder[])[oidc.CorrelationCookie, oidc.NonceCookie])
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        }

        oidc.Events = new OpenIdConnectEvents
        {
            // A browser that keeps its cookies can send any number of codes, and each is shown to the provider.
            OnMessageReceived = async context =>
            {
                if (
                    !await context
                        .HttpContext.RequestServices.GetRequiredService<OidcLogin>()
                        .TryEnterAsync(context.HttpContext)
                )
                    context.HandleResponse();
            },
            OnTicketReceived = context =>
                context.HttpContext.RequestServices.GetRequiredService<OidcLogin>().BeginAsync(context),
            OnRemoteFailure = context =>
                context.HttpContext.RequestServices.GetRequiredService<OidcLogin>().RefuseAsync(context),
        };
    }
}
