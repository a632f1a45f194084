using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Operators.Keys;

namespace QueueWorkers.Operators.Accounts;

/// <summary>
/// Rotates and revokes keys of one kind for an admin, through <see cref="KeyChangeFunctions"/>. Each change takes the
/// secret of the acting admin and the reason.
/// </summary>
/// <param name="database">Where the keys are.</param>
/// <param name="kind">What the functions' names begin with.</param>
public abstract class ChangingKeys(NpgsqlDataSource database, string kind)
{
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
        var (made, key) = (DatabaseClock.NewId(), NewKey());
        var owner = await AskAsync(
            $"select {kind}_rotate($1, $2, $3, $4, $5, $6, $7, $8)",
            cancellationToken,
            new() { Value = acting },
            Text(PersonalText.Of(reason)),
            new() { Value = id },
            new() { Value = made },
            new() { Value = HashOf(key) },
            Text(KeyText.HintOf(key)),
            new() { Value = overlap },
            Time(expiresAt)
        );
        return new MadeKey(made, key, owner, expiresAt);
    }

    /// <summary>Revokes a key.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="id">The key.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>Whose it was.</returns>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public Task<string> RevokeAsync(byte[] acting, string reason, Guid id, CancellationToken cancellationToken) =>
        AskAsync(
            $"select {kind}_revoke($1, $2, $3)",
            cancellationToken,
            new() { Value = acting },
            Text(PersonalText.Of(reason)),
            new() { Value = id }
        );

    /// <summary>A key that nobody has yet.</summary>
    protected abstract string NewKey();

    /// <summary>What is stored of a key.</summary>
    protected abstract byte[] HashOf(string key);

    /// <summary>Runs one of the functions.</summary>
    /// <returns>What it returns; empty for nothing.</returns>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    protected Task<string> AskAsync(
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

    /// <summary>A text as a parameter.</summary>
    protected static NpgsqlParameter Text(string value) =>
        new() { Value = StorableText.Of(value), NpgsqlDbType = NpgsqlDbType.Text };

    /// <summary>A time as a parameter.</summary>
    protected static NpgsqlParameter Time(DateTimeOffset? value) =>
        new() { Value = (object?)value?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
