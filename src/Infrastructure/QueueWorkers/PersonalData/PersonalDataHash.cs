using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using QueueWorkers.Hosting;

namespace QueueWorkers.PersonalData;

/// <summary>
/// Tells persons apart without naming them: HMAC-SHA-256 with a secret of the installation. A bare hash of a mail address
/// would be undone by hashing all addresses that come to mind; without the secret nobody can do that here.
/// Each use has a purpose of its own, so that values of two uses cannot be compared.
/// </summary>
public sealed class PersonalDataHash
{
    /// <summary>The fewest characters of a secret.</summary>
    public const int LeastLength = 32;

    // For hosts on a developer's machine; refused everywhere else.
    private const string DevelopmentSecret = "development-only-secret-of-personal-data";
    private const int LeastDistinct = 10;

    private readonly byte[][] _secrets;

    /// <summary>Takes the secrets.</summary>
    /// <param name="secret">What new values are made with.</param>
    /// <param name="previous">Those before it: values that were made with them are still recognised.</param>
    public PersonalDataHash(string secret, params IEnumerable<string> previous) =>
        _secrets = [.. previous.Prepend(secret).Select(Encoding.UTF8.GetBytes)];

    /// <summary>Reads <c>PersonalData:Secret</c> and <c>PersonalData:PreviousSecrets</c>.</summary>
    /// <exception cref="InvalidConfigurationException">The secret is missing, short or the one of development.</exception>
    public static PersonalDataHash Read(IConfiguration configuration)
    {
        // The environment of the host, as ASP.NET Core calls it. Anything but development is taken for production.
        var development = string.Equals(
            configuration.GetSection(HostDefaults.EnvironmentKey).Value,
            "Development",
            StringComparison.OrdinalIgnoreCase
        );
        var secret = configuration["PersonalData:Secret"];
        if (development && string.IsNullOrEmpty(secret))
            secret = DevelopmentSecret;
        string[] previous = configuration["PersonalData:PreviousSecrets"] is { } text
            ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : [];

        // The values are secrets and stay out of the messages.
        new ConfigurationProblems()
            .Require(
                development || IsStrong(secret),
                $"PersonalData:Secret must be a random text of at least {LeastLength} characters, got {Describe(secret)}; set PersonalData__Secret, or run ./dev env"
            )
            .Require(
                development || Array.TrueForAll(previous, IsStrong),
                $"PersonalData:PreviousSecrets must be earlier secrets of at least {LeastLength} characters, separated by commas, got others; set PersonalData__PreviousSecrets"
            )
            .ThrowIfAny();
        return new PersonalDataHash(secret!, previous);
    }

    /// <summary>The value of a text.</summary>
    /// <param name="purpose">What it is for.</param>
    /// <param name="text">The text.</param>
    public byte[] Of(string purpose, string text) => Of(purpose, Encoding.UTF8.GetBytes(text));

    /// <summary>The value of bytes.</summary>
    /// <param name="purpose">What it is for.</param>
    /// <param name="data">The bytes.</param>
    public byte[] Of(string purpose, ReadOnlySpan<byte> data) => Of(_secrets[0], purpose, data);

    /// <summary>The values that the text has had with earlier secrets, the latest first; none without any.</summary>
    /// <param name="purpose">What they are for.</param>
    /// <param name="data">The bytes.</param>
    public IReadOnlyList<byte[]> EarlierOf(string purpose, ReadOnlySpan<byte> data)
    {
        var values = new byte[_secrets.Length - 1][];
        for (var i = 0; i < values.Length; i++)
            values[i] = Of(_secrets[i + 1], purpose, data);
        return values;
    }

    private static byte[] Of(byte[] secret, string purpose, ReadOnlySpan<byte> data)
    {
        // The purpose ends with a byte that is in no purpose: none can pose as the beginning of the data.
        Span<byte> head = stackalloc byte[Encoding.UTF8.GetByteCount(purpose) + 1];
        Encoding.UTF8.GetBytes(purpose, head);
        head[^1] = 0;
        byte[] input = [.. head, .. data];
        return HMACSHA256.HashData(secret, input);
    }

    private static bool IsStrong(string? secret) =>
        secret is { Length: >= LeastLength }
        && secret.Distinct().Count() >= LeastDistinct
        && !secret.Contains(DevelopmentSecret, StringComparison.Ordinal);

    private static string Describe(string? secret) =>
        string.IsNullOrEmpty(secret) ? "nothing"
        : secret.Length < LeastLength ? $"{secret.Length}"
        : "one that can be guessed";
}
