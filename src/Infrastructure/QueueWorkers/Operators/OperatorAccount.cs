namespace QueueWorkers.Operators;

/// <summary>A person, or a script of one, who looks after the system.</summary>
public sealed class OperatorAccount
{
    /// <summary>The name to log in with, and the name in the audit record.</summary>
    public string Name { get; init; } = "";

    /// <summary>What the operator may do.</summary>
    public OperatorRole Role { get; init; }

    /// <summary>
    /// The hashed password, see <see cref="OperatorPassword"/>; null for an operator that is only a script.
    /// </summary>
    public string? PasswordHash { get; init; }

    /// <summary>
    /// SHA-256 of the operator's key, see <see cref="OperatorKey"/>; null for an operator without one.
    /// </summary>
    public byte[]? KeyHash { get; init; }

    /// <summary>When the operator was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the operator was shut out; null while welcome.</summary>
    public DateTimeOffset? DisabledAt { get; init; }
}
