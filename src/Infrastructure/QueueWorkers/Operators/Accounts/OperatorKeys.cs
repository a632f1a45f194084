using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Operators.Keys;

namespace QueueWorkers.Operators.Accounts;

/// <summary>
/// Makes, rotates and revokes the keys of operators, through <see cref="AccountFunctions"/>. The dashboard asks the
/// database about each key of each request: what ends here ends at once.
/// </summary>
public sealed class OperatorKeys(NpgsqlDataSource database)
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
            Text(GroupCommit.PersonalText.Of(reason)),
            Text(name),
            new() { Value = id },
            new() { Value = OperatorKey.HashOf(key) },
            Text(KeyText.HintOf(key)),
            Time(expiresAt)
        );
        return new MadeKey(id, key, name, expiresAt);
    }

    /// <summary>Makes a key in the place of another, which stays valid for a while.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="id">The old key.</param>
    /// <param name="overlap">How long the old key stays valid.</param>
    /// <param name="expiresAt">When the new one ends; null for never.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public async Task<MadeKey> RotateAsync(
        byte[] acting,
        string reason,
        Guid id,
        TimeSpan overlap,
        DateTimeOffset? expiresAt,
        CancellationToken cancellationToken
    )
    {
        KeyTerms.CheckExpiry(expiresAt);
        KeyTerms.CheckOverlap(overlap);
        var (made, key) = (DatabaseClock.NewId(), OperatorKey.NewKey());
        var owner = await AskAsync(
            "select operator_key_rotate($1, $2, $3, $4, $5, $6, $7, $8)",
            cancellationToken,
            new() { Value = acting },
            Text(GroupCommit.PersonalText.Of(reason)),
            new() { Value = id },
            new() { Value = made },
            new() { Value = OperatorKey.HashOf(key) },
            Text(KeyText.HintOf(key)),
            new() { Value = overlap },
            Time(expiresAt)
        );
        return new MadeKey(made, key, owner, expiresAt);
    }

    /// <summary>Revokes a key at once.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="id">The key.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public Task RevokeAsync(byte[] acting, string reason, Guid id, CancellationToken cancellationToken) =>
        AskAsync(
            "select operator_key_revoke($1, $2, $3)",
            cancellationToken,
            new() { Value = acting },
            Text(GroupCommit.PersonalText.Of(reason)),
            new() { Value = id }
        );

    private Task<string> AskAsync(
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    ) =>
        AccountRefusedException.UnwrapAsync(async () =>
        {
            await using var command = database.CreateCommand(sql);
            command.Parameters.AddRange(parameters);
            return await command.ExecuteScalarAsync(cancellationToken) as string ?? "";
        });

    private static NpgsqlParameter Text(string value) =>
        new() { Value = GroupCommit.StorableText.Of(value), NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Time(DateTimeOffset? value) =>
        new() { Value = (object?)value?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
