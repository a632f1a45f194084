namespace QueueWorkers.Operators.Accounts;

/// <summary>
/// What a new password of an operator must be like (OWASP ASVS 5.0, 6.2): long, and not one of the common ones.
/// </summary>
public static class PasswordRules
{
    /// <summary>Least length in characters.</summary>
    public const int LeastLength = 12;

    /// <summary>Greatest length in characters.</summary>
    public const int GreatestLength = 200;

    private const int LeastDistinct = 5;

    // The passwords of at least 12 characters from the lists of common ones of Django (BSD) and zxcvbn-ts (MIT).
    private static readonly Lazy<HashSet<string>> Common = new(ReadCommon);

    /// <summary>Why a password cannot be used, as a sentence for the operator; null when it can.</summary>
    /// <param name="password">The password.</param>
    /// <param name="name">The operator's name.</param>
    public static string? ProblemOf(string password, string name)
    {
        if (password.Length is < LeastLength or > GreatestLength)
            return $"The password has {password.Length} characters. Expected {LeastLength} to {GreatestLength}; choose a longer one, such as four words.";
        var plain = password.ToLowerInvariant();
        // A password may be pasted from anywhere, but what no keyboard has would not be typed again.
        if (password.Any(char.IsControl))
            return "The password has a control character, such as a line end. Choose one without.";
        if (plain.Distinct().Count() < LeastDistinct)
            return $"The password has fewer than {LeastDistinct} different characters. Choose one with more.";
        if (name.Length >= 3 && plain.Contains(name.ToLowerInvariant(), StringComparison.Ordinal))
            return "The password contains the operator's name. Choose one without.";
        return Variants(plain).Any(Common.Value.Contains)
            ? "The password is one of the common ones, which attackers try first. Choose another, such as four words."
            : null;
    }

    // What people add to a common password to make it longer or "stronger".
    private static IEnumerable<string> Variants(string plain)
    {
        yield return plain;
        yield return plain.Replace(" ", "", StringComparison.Ordinal);
        yield return plain.TrimEnd('!', '?', '.', '*', '#', '$');
        yield return plain.TrimEnd("0123456789!?.*#$".ToCharArray());
        yield return plain
            .Replace('0', 'o')
            .Replace('1', 'l')
            .Replace('3', 'e')
            .Replace('4', 'a')
            .Replace('5', 's')
            .Replace('@', 'a')
            .Replace('$', 's');
    }

    private static HashSet<string> ReadCommon()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("common-passwords.txt")!;
        using var reader = new StreamReader(stream);
        var words = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
            words.Add(line);
        return words;
    }
}
