using System.Security.Cryptography;

namespace QueueWorkers.Operators.Accounts;

/// <summary>Makes passwords up, for an operator who is to choose another one after the first login.</summary>
public static class NewPassword
{
    // Without what is read wrongly aloud or on paper: 0 and O, 1 and l.
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    /// <summary>A new one of 20 characters (116 random bits) that the rules accept; shown once.</summary>
    /// <param name="name">The operator's name.</param>
    public static string Make(string name)
    {
        string made;
        do made = RandomNumberGenerator.GetString(Alphabet, 20);
        while (PasswordRules.ProblemOf(made, name) is not null);
        return made;
    }
}
