using System.Globalization;
using MailKit.Security;
using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Smtp;

/// <summary>The mail server of the email step and of alert mails, section <c>Email:Smtp</c>.</summary>
public sealed record SmtpOptions
{
    /// <summary>Host name or address of the mail server.</summary>
    public string Host { get; init; } = "";

    /// <summary>Port of the mail server. Default: 25.</summary>
    /// <value>TCP port</value>
    public int Port { get; init; } = 25;

    /// <summary>
    /// Whether the connection is encrypted. With a login it always is, and <c>None</c> is refused.
    /// Default: as the server offers.
    /// </summary>
    public SmtpSecurity Security { get; init; } = SmtpSecurity.Auto;

    /// <summary>
    /// PEM file with the certificates of a private certificate authority, which are trusted besides those of the
    /// system. Read at each connection.
    /// </summary>
    public string? CaFile { get; init; }

    /// <summary>
    /// Whether a certificate must be shown not to be revoked. A private authority without a revocation list needs
    /// <c>false</c>.
    /// </summary>
    public bool CheckRevocation { get; init; } = true;

    /// <summary>
    /// Fully qualified host name that is sent with EHLO. Default: the domain of the sender, for mails and for alerts.
    /// </summary>
    public string? EhloName { get; init; }

    /// <summary>User name, if the server requires a login.</summary>
    public string? Username { get; init; }

    /// <summary>File with the user name. It is read at each login.</summary>
    public string? UsernameFile { get; init; }

    /// <summary>Password of this user.</summary>
    public string? Password { get; init; }

    /// <summary>File with the password. It is read at each login, so a new password needs no restart.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Access tokens instead of a password.</summary>
    public SmtpOAuthOptions OAuth { get; init; } = new();

    /// <summary>Whether there is somebody to log in as.</summary>
    internal bool HasLogin => Username is not null || UsernameFile is not null;

    /// <summary>Which mail servers are trusted.</summary>
    internal ServerTrust Trust =>
        new("The mail server", CaFile)
        {
            HostSetting = "Email__Smtp__Host",
            CaSetting = "Email__Smtp__CaFile",
            RevocationSetting = CheckRevocation ? "Email__Smtp__CheckRevocation" : null,
            BesidesSystem = true,
            WithoutTls = "Set Email__Smtp__Port to a port with TLS, or Email__Smtp__Security to StartTls.",
        };

    /// <summary>The same in MailKit's words. A login is never sent in plain text, whatever the server offers.</summary>
    internal SecureSocketOptions SocketOptions =>
        Security switch
        {
            SmtpSecurity.None => SecureSocketOptions.None,
            SmtpSecurity.StartTls => SecureSocketOptions.StartTls,
            SmtpSecurity.SslOnConnect or SmtpSecurity.Tls => SecureSocketOptions.SslOnConnect,
            _ when !HasLogin => SecureSocketOptions.Auto,
            _ => Port == 465 ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls,
        };

    /// <summary>Reads and checks the section.</summary>
    /// <param name="configuration">All settings of the process.</param>
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public static SmtpOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Email:Smtp");
        var problems = new ConfigurationProblems();
        var (security, revocation) = (Text("Security") ?? nameof(SmtpSecurity.Auto), Text("CheckRevocation") ?? "true");
        var (ehloName, tokenUrl) = (Text("EhloName"), Text("OAuth:TokenUrl"));
        var knowsSecurity =
            Enum.TryParse<SmtpSecurity>(security, out var parsedSecurity) && Enum.IsDefined(parsedSecurity);
        var knowsPort =
            int.TryParse(Text("Port") ?? "25", CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535;
        var knowsRevocation = bool.TryParse(revocation, out var checkRevocation);
        Uri? token = null;
        var knowsToken =
            tokenUrl is null
            || (Uri.TryCreate(tokenUrl, UriKind.Absolute, out token) && token.Scheme is "http" or "https");
        var options = new SmtpOptions
        {
            Host = Text("Host") ?? "",
            Port = port,
            Security = parsedSecurity,
            CaFile = Text("CaFile"),
            CheckRevocation = checkRevocation,
            EhloName = ehloName,
            Username = Text("Username"),
            UsernameFile = Text("UsernameFile"),
            Password = Text("Password"),
            PasswordFile = Text("PasswordFile"),
            OAuth = new SmtpOAuthOptions
            {
                TokenFile = Text("OAuth:TokenFile"),
                TokenUrl = token,
                ClientId = Text("OAuth:ClientId"),
                ClientSecret = Text("OAuth:ClientSecret"),
                ClientSecretFile = Text("OAuth:ClientSecretFile"),
                Scope = Text("OAuth:Scope"),
            },
        };
        problems
            .Require(
                !string.IsNullOrWhiteSpace(options.Host),
                "Email:Smtp:Host must name the mail server, got nothing; set Email__Smtp__Host"
            )
            .Require(knowsPort, $"Email:Smtp:Port must be 1–65535, got '{Text("Port")}'; set Email__Smtp__Port")
            .Require(
                knowsSecurity,
                $"Email:Smtp:Security must be None, StartTls, SslOnConnect or Auto, got '{security}'; set Email__Smtp__Security"
            )
            .Require(
                knowsRevocation,
                $"Email:Smtp:CheckRevocation must be true or false, got '{revocation}'; set Email__Smtp__CheckRevocation"
            )
            .Require(
                ehloName is null
                    || (
                        ehloName.Contains('.', StringComparison.Ordinal)
                        && Uri.CheckHostName(ehloName) == UriHostNameType.Dns
                    ),
                $"Email:Smtp:EhloName must be a fully qualified host name or empty, got '{ehloName}'; set Email__Smtp__EhloName"
            )
            .Require(
                knowsToken,
                $"Email:Smtp:OAuth:TokenUrl must be an http or https address or empty, got '{tokenUrl}'; set Email__Smtp__OAuth__TokenUrl"
            );
        RequireLogin(options, problems);
        RequireFiles(options, problems);
        var authorities = AuthorityFile.ProblemWith(options.CaFile);
        problems
            .Require(
                authorities is null,
                $"Email:Smtp:CaFile must be a PEM file with certificates, found in '{options.CaFile}': {authorities}; set Email__Smtp__CaFile"
            )
            .ThrowIfAny();
        return options;

        // Compose sets a variable that .env lacks to nothing.
        string? Text(string key) => section[key] is { Length: > 0 } text ? text : null;
    }

    /// <summary>The options with a name for EHLO: the configured one, else this domain. Both as punycode.</summary>
    public SmtpOptions WithEhloName(string domain) =>
        this with
        {
            EhloName = new IdnMapping().GetAscii(EhloName ?? domain),
        };

    /// <summary>The server. A record's own text would show the password.</summary>
    public override string ToString() => $"{Host}:{Port}";

    private static void RequireLogin(SmtpOptions options, ConfigurationProblems problems)
    {
        var (oauth, passwords) = (options.OAuth, options.Password is not null || options.PasswordFile is not null);
        problems
            .Require(
                options.HasLogin == (passwords || oauth.IsSet),
                "Email:Smtp:Username and Email:Smtp:Password (or their files, or a token) must both be set or both be empty, got one of them; "
                    + "set Email__Smtp__Username and Email__Smtp__Password"
            )
            .Require(
                One(options.Username, options.UsernameFile)
                    && One(options.Password, options.PasswordFile)
                    && One(oauth.ClientSecret, oauth.ClientSecretFile),
                "Email:Smtp has a secret and a file for it; set Email__Smtp__Username or Email__Smtp__UsernameFile, "
                    + "Email__Smtp__Password or Email__Smtp__PasswordFile, Email__Smtp__OAuth__ClientSecret or Email__Smtp__OAuth__ClientSecretFile, not both"
            )
            .Require(
                !(passwords && oauth.IsSet) && (oauth.TokenFile is null || oauth.TokenUrl is null),
                "Email:Smtp has several ways to log in; set only one of Email__Smtp__Password, Email__Smtp__OAuth__TokenFile and Email__Smtp__OAuth__TokenUrl"
            )
            .Require(
                oauth.TokenUrl is null
                    || (oauth.ClientId is not null && (oauth.ClientSecret ?? oauth.ClientSecretFile) is not null),
                "Email:Smtp:OAuth:TokenUrl needs a client id and a secret; set Email__Smtp__OAuth__ClientId and Email__Smtp__OAuth__ClientSecret"
            )
            .Require(
                !options.HasLogin || options.Security != SmtpSecurity.None,
                "Email:Smtp:Security must be StartTls, SslOnConnect or Auto with a login, got 'None': the password would be sent in plain text; set Email__Smtp__Security"
            );

        static bool One(string? value, string? file) => value is null || file is null;
    }

    private static void RequireFiles(SmtpOptions options, ConfigurationProblems problems)
    {
        foreach (
            var (key, file) in new[]
            {
                ("UsernameFile", options.UsernameFile),
                ("PasswordFile", options.PasswordFile),
                ("OAuth:TokenFile", options.OAuth.TokenFile),
                ("OAuth:ClientSecretFile", options.OAuth.ClientSecretFile),
            }
        )
        {
            problems.Require(
                file is null || File.Exists(file),
                $"Email:Smtp:{key} must be a file that the process can read, found none at '{file}'; set Email__Smtp__{key.Replace(":", "__", StringComparison.Ordinal)}"
            );
        }
    }
}
