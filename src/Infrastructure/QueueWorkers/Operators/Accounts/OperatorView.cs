namespace QueueWorkers.Operators.Accounts;

/// <summary>An operator as admins see one.</summary>
/// <param name="Name">The name to log in with.</param>
/// <param name="Role">What the operator may do.</param>
/// <param name="Version">Grows with each change; goes along with the next change.</param>
/// <param name="HasPassword">Whether the operator can log in with a password.</param>
/// <param name="External">Whether the identity provider lets the operator in.</param>
/// <param name="CreatedAt">When the operator was made.</param>
/// <param name="DisabledAt">When the operator was disabled; null while enabled.</param>
/// <param name="Sessions">Browsers that the operator is logged in with.</param>
/// <param name="Keys">The operator's keys, the newest first.</param>
public sealed record OperatorView(
    string Name,
    OperatorRole Role,
    int Version,
    bool HasPassword,
    bool External,
    DateTimeOffset CreatedAt,
    DateTimeOffset? DisabledAt,
    int Sessions,
    IReadOnlyList<KeyView> Keys
);

/// <summary>A key as admins see it: everything but the key.</summary>
/// <param name="Id">Its id, for rotating and revoking.</param>
/// <param name="Hint">Its first characters.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself; null for never.</param>
/// <param name="RevokedAt">When it was revoked; null while it is not.</param>
/// <param name="ReplacedBy">The key that a rotation made in its place; null without one.</param>
public sealed record KeyView(
    Guid Id,
    string Hint,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    Guid? ReplacedBy
);

/// <summary>A key that was just made.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Key">The key itself; it is shown once.</param>
/// <param name="Owner">The operator or client that it speaks for.</param>
/// <param name="ExpiresAt">When it ends by itself; null for never.</param>
public sealed record MadeKey(Guid Id, string Key, string Owner, DateTimeOffset? ExpiresAt);
