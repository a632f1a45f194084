using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace QueueWorkers.Hosting.Secrets;

/// <summary>
/// Refuses secrets that somebody can guess: empty, short, or known from a demo, an example or an installation guide.
/// Which settings are secrets follows from their names, so that a new one is checked without being listed.
/// </summary>
public static partial class WeakSecrets
{
    /// <summary>Least characters of a password.</summary>
    public const int ShortestPassword = 12;

    /// <summary>Least characters of a key or a signing secret.</summary>
    public const int ShortestKey = 32;

    // A password that is made of these words, digits and signs alone is on every list that attackers try first.
    private static readonly string[] Words =
    [
        "password",
        "passwort",
        "passwd",
        "pass",
        "change",
        "changeme",
        "changeit",
        "me",
        "it",
        "secret",
        "geheim",
        "guest",
        "administrator",
        "admin",
        "root",
        "user",
        "owner",
        "operator",
        "postgresql",
        "postgres",
        "rabbitmq",
        "rabbit",
        "orders",
        "order",
        "email",
        "inventory",
        "invoice",
        "warehouse",
        "webhook",
        "dashboard",
        "api",
        "demo",
        "test",
        "tests",
        "testing",
        "example",
        "sample",
        "default",
        "unused",
        "nothing",
        "welcome",
        "letmein",
        "qwertyuiop",
        "qwerty",
        "qwertz",
        "abcdefghijklmnopqrstuvwxyz",
        "abc",
        "whsec",
        "ok",
        "op",
    ];

    // Secrets that are printed in public documents.
    private static readonly string[] Printed =
    [
        // Standard Webhooks' own example, and what pages of this project make of it.
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
    ];

    /// <summary>Refuses the configuration if a secret in it is weak.</summary>
    /// <param name="configuration">Where from; settings that are not set are left to those who need them.</param>
    /// <param name="known">The settings; other variables belong to somebody else.</param>
    /// <exception cref="InvalidConfigurationException">With every weak secret. None is printed.</exception>
    public static void RefuseWeakSecrets(this IConfiguration configuration, KnownSettings known)
    {
        var problems = new ConfigurationProblems();
        foreach (var (key, value) in configuration.AsEnumerable().OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var variable = key.Replace(":", "__", StringComparison.Ordinal);
            if (
                !string.IsNullOrEmpty(value)
                && KindOf(key) is { } shortest
                && known.IsKnown(variable)
                && WhatIsWrong(value, shortest) is { } fault
            )
                problems.Require(false, Sentence(key, variable, fault));
        }

        if (configuration.GetConnectionString("Postgres") is { Length: > 0 } text)
        {
            const string Name = "the password of ConnectionStrings:Postgres";
            if (PasswordIn(text) is { Length: > 0 } password && WhatIsWrong(password, ShortestPassword) is { } fault)
                problems.Require(false, Sentence(Name, "Database__Password", fault));
            else if (configuration["Database:Password"] is not { Length: > 0 } && NeedsPassword(text))
                problems.Require(false, Sentence(Name, "Database__Password", "got nothing"));
        }

        problems.ThrowIfAny();
    }

    /// <summary>What is wrong with a secret; null when nothing is.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="shortest">Least number of characters; 0 where another system makes the secret.</param>
    public static string? WhatIsWrong(string secret, int shortest)
    {
        if (Printed.Contains(secret, StringComparer.Ordinal))
            return "got one that is printed in public documents";
        if (secret.Length < shortest)
            return $"expected at least {shortest} characters, got {secret.Length}";
        if (shortest > 0 && secret.Distinct().Count() < 5)
            return $"got {secret.Distinct().Count()} different characters";
        // A number that another system has made up is its business.
        if (shortest == 0 && !secret.Any(char.IsLetter))
            return null;
        return IsMadeOfWords(secret) ? "got a known default, or digits and signs alone" : null;
    }

    // The least length of a secret setting; null for a setting that is none.
    private static int? KindOf(string key)
    {
        if (!Secret().IsMatch(key))
            return null;
        // What a mail server, an identity provider, a chat or a certificate's maker made: its length is theirs.
        return Foreign().IsMatch(key) ? 0
            : key.EndsWith("password", StringComparison.OrdinalIgnoreCase) ? ShortestPassword
            : ShortestKey;
    }

    private static bool IsMadeOfWords(string secret)
    {
        var letters = string.Concat(secret.Where(char.IsLetter)).ToLowerInvariant();
        if (letters.Length == 0)
            return true;
        // Where a word may end: whether the letters can be cut into words.
        var ends = new bool[letters.Length + 1];
        ends[0] = true;
        for (var at = 0; at < letters.Length; at++)
        {
            if (!ends[at])
                continue;
            foreach (var word in Words)
            {
                if (string.CompareOrdinal(letters, at, word, 0, word.Length) == 0 && at + word.Length <= letters.Length)
                    ends[at + word.Length] = true;
            }
        }

        return ends[letters.Length];
    }

    private static string Sentence(string key, string variable, string fault) =>
        $"{key} must be a secret that nobody can guess, {fault}; set {variable} to a random one, such as `{Advice(key)}` prints";

    // A key has a form, without which its host refuses it.
    private static string Advice(string key) =>
        key switch
        {
            "ORDERS_API_KEY" => "echo ok_$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')",
            "ORDERS_OPERATOR_KEY" => "echo op_$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')",
            _ when key.StartsWith("Warehouse:", StringComparison.Ordinal) => "echo whsec_$(openssl rand -base64 32)",
            _ => "openssl rand -base64 32",
        };

    private static string? PasswordIn(string connectionString) =>
        Parse(connectionString)?.Password ?? Environment.GetEnvironmentVariable("PGPASSWORD");

    // A client's certificate, a password file and the socket's own user are logins, too.
    private static bool NeedsPassword(string connectionString) =>
        Parse(connectionString) is { } settings
        && string.IsNullOrEmpty(settings.SslCertificate)
        && string.IsNullOrEmpty(settings.Passfile)
        && settings.Host is { Length: > 0 } host
        && host[0] != '/'
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("PGPASSFILE"))
        && !File.Exists(Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "", ".pgpass"))
        && string.IsNullOrEmpty(PasswordIn(connectionString));

    // Null when it cannot be read: that is the store's to say.
    private static NpgsqlConnectionStringBuilder? Parse(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex("(Password|PASSWORD|Secret|SECRET|Token|_KEY|[a-z]Key)$")]
    private static partial Regex Secret();

    [GeneratedRegex("^(Email|Alerts|Kestrel):|(ClientSecret|Token)$", RegexOptions.IgnoreCase)]
    private static partial Regex Foreign();
}
