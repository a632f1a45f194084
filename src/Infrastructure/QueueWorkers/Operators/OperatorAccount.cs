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
    /// The password that the deployment gave, hashed; null without one. A deployment with the same password leaves the
    /// operator's own one alone.
    /// </summary>
    public string? DeployedPasswordHash { get; init; }

    /// <summary>
    /// Who the operator is at the identity provider, <c>issuer subject</c>; null for an operator with a password or keys.
    /// </summary>
    public string? ExternalId { get; init; }

    /// <summary>Grows with each change of role, password or state: who changes it says which one was seen.</summary>
    public int Version { get; init; }

    /// <summary>When the operator was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the operator was shut out; null while welcome.</summary>
    public DateTimeOffset? DisabledAt { get; init; }
}
