using Npgsql;

namespace QueueWorkers.Operators.Accounts;

/// <summary>Why a change of an account or a key was refused.</summary>
public enum AccountRefusal
{
    /// <summary>A value cannot be used.</summary>
    Invalid,

    /// <summary>The session or key of the caller is no longer one of an admin.</summary>
    NotAdmin,

    /// <summary>There is no such operator or key.</summary>
    Unknown,

    /// <summary>The state does not allow it.</summary>
    Conflict,
}

/// <summary>A change of an account or a key was refused; nothing was changed. The message is for the operator.</summary>
public sealed class AccountRefusedException(AccountRefusal kind, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Why.</summary>
    public AccountRefusal Kind { get; } = kind;

    /// <summary>Runs an action, and makes the exception of what the database's functions raise.</summary>
    /// <exception cref="AccountRefusedException">They refused.</exception>
    public static async Task<T> UnwrapAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (PostgresException refused) when (KindOf(refused.SqlState) is { } kind)
        {
            throw new AccountRefusedException(kind, refused.MessageText, refused);
        }
    }

    // The states that AccountFunctions raises.
    private static AccountRefusal? KindOf(string state) =>
        state switch
        {
            "OP400" => AccountRefusal.Invalid,
            "OP403" => AccountRefusal.NotAdmin,
            "OP404" => AccountRefusal.Unknown,
            "OP409" => AccountRefusal.Conflict,
            _ => null,
        };
}
