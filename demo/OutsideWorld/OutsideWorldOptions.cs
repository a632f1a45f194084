using System.Net;
using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Warehouse;

namespace Orders.OutsideWorld;

/// <summary>
/// Where the outside world listens and what it keeps; section <c>OutsideWorld</c>, as environment variables
/// <c>OutsideWorld__SmtpPort</c> and so on.
/// </summary>
public sealed class OutsideWorldOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string Section = "OutsideWorld";

    /// <summary>The IP address the SMTP server listens on.</summary>
    public string SmtpHost { get; set; } = "0.0.0.0";

    /// <summary>
    /// The TCP port of the SMTP server; 0 takes any free one, which is then logged and found in
    /// <see cref="RunningWorld.SmtpPort"/>.
    /// </summary>
    public int SmtpPort { get; set; } = 1025;

    /// <summary>The user that may log in where the mail server requires it.</summary>
    public string SmtpUsername { get; set; } = "orders";

    /// <summary>The password of that user.</summary>
    public string SmtpPassword { get; set; } = "let me in";

    /// <summary>The access token (XOAUTH2) of that user.</summary>
    public string SmtpToken { get; set; } = "let-me-in-too";

    /// <summary>
    /// PEM file with the certificate of the SMTP server. With one, a mail is taken after STARTTLS only. It is read at
    /// each connection. When empty, a certificate is made at each start, for the modes that need one.
    /// </summary>
    public string? SmtpCertificate { get; set; }

    /// <summary>PEM file with the key of <see cref="SmtpCertificate"/>.</summary>
    public string? SmtpKey { get; set; }

    /// <summary>
    /// The Standard Webhooks secret (<c>whsec_</c> and 24–64 bytes in base64) the warehouse shares with its caller.
    /// When set, every call must be signed with it; when empty, calls are not verified.
    /// </summary>
    public string? WarehouseSecret { get; set; }

    /// <summary>
    /// A directory for the ledgers, so that a restart loses no evidence; created when missing. When empty, the ledgers
    /// live in memory only.
    /// </summary>
    public string? DataDirectory { get; set; }
}

/// <summary>Finds every problem of the options before anything listens.</summary>
internal sealed class OutsideWorldOptionsCheck : IValidateOptions<OutsideWorldOptions>
{
    public ValidateOptionsResult Validate(string? name, OutsideWorldOptions options)
    {
        var problems = new List<string>();
        if (options.SmtpPort is < 0 or > 65535)
            problems.Add($"OutsideWorld:SmtpPort must be 0–65535, got {options.SmtpPort}; set OutsideWorld__SmtpPort");
        if (!IPAddress.TryParse(options.SmtpHost, out _))
            problems.Add(
                $"OutsideWorld:SmtpHost must be an IP address such as 0.0.0.0, got '{options.SmtpHost}'; set OutsideWorld__SmtpHost"
            );
        if (string.IsNullOrEmpty(options.SmtpCertificate) != string.IsNullOrEmpty(options.SmtpKey))
            problems.Add(
                "OutsideWorld:SmtpCertificate and OutsideWorld:SmtpKey must both be set or both be empty, got one of them; set OutsideWorld__SmtpCertificate and OutsideWorld__SmtpKey"
            );
        foreach (var file in (string?[])[options.SmtpCertificate, options.SmtpKey])
        {
            if (!string.IsNullOrEmpty(file) && !File.Exists(file))
                problems.Add(
                    $"OutsideWorld:SmtpCertificate and OutsideWorld:SmtpKey must be files, found none at '{file}'; set OutsideWorld__SmtpCertificate and OutsideWorld__SmtpKey"
                );
        }

        if (
            !string.IsNullOrWhiteSpace(options.WarehouseSecret)
            && WebhookVerifier.ProblemWith(options.WarehouseSecret) is { } problem
        )
            problems.Add(
                $"OutsideWorld:WarehouseSecret must be whsec_ and 24–64 bytes in base64, got {problem}; set OutsideWorld__WarehouseSecret"
            );
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
