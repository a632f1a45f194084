namespace Orders.Smtp;

/// <summary>Where the access token comes from that is sent with XOAUTH2 instead of a password.</summary>
public sealed class SmtpOAuthOptions
{
    /// <summary>File with an access token, which somebody else renews. It is read at each login.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Address that gives an access token for client id and secret (OAuth2 client credentials).</summary>
    public Uri? TokenUrl { get; init; }

    /// <summary>Client id for <c>TokenUrl</c>.</summary>
    public string? ClientId { get; init; }

    /// <summary>Client secret for <c>TokenUrl</c>.</summary>
    public string? ClientSecret { get; init; }

    /// <summary>File with the client secret. It is read for each token.</summary>
    public string? ClientSecretFile { get; init; }

    /// <summary>Scope that is asked for at <c>TokenUrl</c>, if the provider needs one.</summary>
    public string? Scope { get; init; }

    /// <summary>Whether tokens are used at all.</summary>
    internal bool IsSet => TokenFile is not null || TokenUrl is not null;
}
