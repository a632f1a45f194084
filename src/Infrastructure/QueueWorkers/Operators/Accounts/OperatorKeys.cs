using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Operators.Keys;

namespace QueueWorkers.Operators.Accounts;

/// <summary>
/// Makes, rotates and revokes the keys of operators, through <see cref="AccountFunctions"/>. The dashboard asks the
/// database about each key of each request: what ends here ends at once.
/// </summary>
public sealed class OperatorKeys(NpgsqlDataSource database) : ChangingKeys(database, "operator_key")
{
    /// <summary>Makes a key.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="name">The operator.</param>
    /// <param name="expiresAt">When it ends; null for never.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public async Task<MadeKey> CreateAsync(
        byte[] acting,
        string reason,
        string name,
        DateTimeOffset? expiresAt,
        CancellationToken cancellationToken
    )
    {
        KeyTerms.CheckExpiry(expiresAt);
        var (id, key) = (DatabaseClock.NewId(), OperatorKey.NewKey());
        await AskAsync(
            "select operator_key_create($1, $2, $3, $4, $5, $6, $7)",
            cancellationToken,
            new() { Value = acting },
            Text(PersonalText.Of(reason)),
            Text(name),
            new() { Value = id },
            new() { Value = OperatorKey.HashOf(key) },
            Text(KeyText.HintOf(key)),
            Time(expiresAt)
        );
        return new MadeKey(id, key, name, expiresAt);
    }

    /// <inheritdoc />
    protected override string NewKey() => OperatorKey.NewKey();

    /// <inheritdoc />
    protected override byte[] HashOf(string key) => OperatorKey.HashOf(key);
}
