using System.Net.Mail;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Dashboard.Alerts;

/// <summary>
/// Where alerts are sent, section <c>Alerts</c>. Without any they are on the page and in the log only.
/// </summary>
internal sealed record AlertOptions
{
    /// <summary>Receives each alert as a JSON document by POST.</summary>
    public Uri? WebhookUrl { get; init; }

    /// <summary>Bearer token that is sent to the webhook.</summary>
    public string WebhookToken { get; init; } = "";

    /// <summary>
    /// PEM file with the authorities that the webhook's certificate may be of, besides those of the system. Read at each
    /// connection.
    /// </summary>
    public string? WebhookCaFile { get; init; }

    /// <summary>Which webhooks are trusted, if the address begins with https.</summary>
    internal ServerTrust Trust =>
        new("The alerts' webhook", WebhookCaFile)
        {
            HostSetting = "Alerts__WebhookUrl",
            CaSetting = "Alerts__WebhookCaFile",
            BesidesSystem = true,
            WithoutTls = "Set Alerts__WebhookUrl to the port with TLS.",
        };

    /// <summary>Recipient of each alert by mail, which <c>Email:Smtp</c> sends.</summary>
    public string MailTo { get; init; } = "";

    /// <summary>Sender of these mails.</summary>
    public string MailFrom { get; init; } = "orders@orders.example";

    /// <summary>Address of the dashboard as the receivers know it, for the link in an alert.</summary>
    public Uri PublicUrl { get; init; } = new("http://127.0.0.1:8081/");

    /// <summary>The address of a page, such as <c>/alerts</c>, for a receiver.</summary>
    public Uri LinkTo(string page) => new($"{PublicUrl.ToString().TrimEnd('/')}{page}");

    /// <summary>Whether alerts are mailed, also in a section with problems.</summary>
    public static bool HasMail(IConfiguration configuration) =>
        configuration.GetSection("Alerts")["MailTo"] is { Length: > 0 };

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static AlertOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Alerts");
        var problems = new ConfigurationProblems();
        var options = new AlertOptions
        {
            WebhookUrl = Address(section, "WebhookUrl", problems),
            WebhookToken = section["WebhookToken"] ?? "",
            WebhookCaFile = section["WebhookCaFile"] is { Length: > 0 } file ? file : null,
            MailTo = section["MailTo"] ?? "",
            MailFrom = section["MailFrom"] is { Length: > 0 } from ? from : "orders@orders.example",
            PublicUrl = Address(section, "PublicUrl", problems) ?? new Uri("http://127.0.0.1:8081/"),
        };
        var authorities = AuthorityFile.ProblemWith(options.WebhookCaFile);
        problems
            .Require(
                authorities is null,
                $"Alerts:WebhookCaFile must be a PEM file with certificates, found in '{options.WebhookCaFile}': {authorities}; set Alerts__WebhookCaFile"
            )
            .Require(
                options.MailTo == "" || MailAddress.TryCreate(options.MailTo, out _),
                $"Alerts:MailTo must be one mail address, got '{options.MailTo}'; set Alerts__MailTo"
            )
            .Require(
                MailAddress.TryCreate(options.MailFrom, out _),
                $"Alerts:MailFrom must be one mail address, got '{options.MailFrom}'; set Alerts__MailFrom"
            )
            .ThrowIfAny();
        return options;
    }

    private static Uri? Address(IConfigurationSection section, string name, ConfigurationProblems problems)
    {
        if (section[name] is not { Length: > 0 } text)
            return null;
        var right = Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https" };
        problems.Require(right, $"Alerts:{name} must be an http or https address, got '{text}'; set Alerts__{name}");
        return right ? address : null;
    }
}
