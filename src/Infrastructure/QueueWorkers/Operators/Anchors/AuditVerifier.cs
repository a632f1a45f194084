using System.Data;
using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.Operators.Anchors;

/// <summary>What a verification found.</summary>
/// <param name="Intact">Whether nothing was changed, removed or replaced, as far as the anchors reach.</param>
/// <param name="FirstBroken">The first row that was changed or whose predecessor is missing; null when none.</param>
/// <param name="Records">The number of the newest row; 0 for an empty record.</param>
/// <param name="Head">The anchor to keep; null for an empty record.</param>
/// <param name="Anchors">How many anchors were compared.</param>
/// <param name="MissingFrom">The first row that an anchor knows and the record does not have.</param>
/// <param name="MissingTo">The last such row, as far as the anchors know.</param>
/// <param name="ReplacedFrom">The first row that may have been replaced: the one behind the last anchor that
/// holds.</param>
/// <param name="ReplacedTo">The first row whose hash is not that of its anchor.</param>
/// <param name="Signature">Whether the signature of an export is <c>valid</c> or <c>wrong</c>; null when none was
/// shown.</param>
public sealed record AuditReport(
    bool Intact,
    long? FirstBroken,
    long Records,
    string? Head,
    int Anchors,
    long? MissingFrom,
    long? MissingTo,
    long? ReplacedFrom,
    long? ReplacedTo,
    string? Signature = null
);

/// <summary>
/// Compares the audit record with its own chain of hashes, and with anchors from outside: only those show that the
/// newest rows were deleted, or deleted and written anew.
/// </summary>
public sealed class AuditVerifier(NpgsqlDataSource database, AuditLog log)
{
    private const string ReadHead = "select id, encode(hash, 'hex') as hash from audit order by id desc limit 1";

    private const string ReadHashes = "select id, encode(hash, 'hex') as hash from audit where id = any($1)";

    /// <summary>The newest row; null for an empty record.</summary>
    public async Task<AuditAnchor?> HeadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(ReadHead);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new AuditAnchor(reader.GetInt64("id"), reader.GetString("hash"))
            : null;
    }

    /// <summary>Verifies the whole chain and compares it with anchors.</summary>
    /// <param name="anchors">Heads of earlier moments, in any order.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<AuditReport> VerifyAsync(
        IReadOnlyCollection<AuditAnchor> anchors,
        CancellationToken cancellationToken
    )
    {
        var broken = await log.FirstBrokenAsync(cancellationToken);
        var found = await CompareAsync(anchors, cancellationToken);
        return found with { Intact = found.Intact && broken is null, FirstBroken = broken };
    }

    /// <summary>Compares with anchors only, without calculating the chain.</summary>
    public async Task<AuditReport> CompareAsync(
        IReadOnlyCollection<AuditAnchor> anchors,
        CancellationToken cancellationToken
    )
    {
        // The head first: rows that are written meanwhile make no anchor wrong.
        var head = await HeadAsync(cancellationToken);
        var records = head?.Number ?? 0;
        var hashes = await HashesAsync(anchors, cancellationToken);
        long? held = null;
        long? replaced = null;
        foreach (var anchor in anchors.OrderBy(anchor => anchor.Number))
        {
            if (!hashes.TryGetValue(anchor.Number, out var hash))
                continue;
            if (hash == anchor.Hash)
                held = anchor.Number;
            else
            {
                replaced = anchor.Number;
                break;
            }
        }

        var known = anchors.Select(anchor => anchor.Number).DefaultIfEmpty().Max();
        var isShort = known > records;
        return new AuditReport(
            replaced is null && !isShort,
            null,
            records,
            head?.ToString(),
            anchors.Count,
            isShort ? records + 1 : null,
            isShort ? known : null,
            replaced is null ? null : (held ?? 0) + 1,
            replaced
        );
    }

    private async Task<Dictionary<long, string>> HashesAsync(
        IReadOnlyCollection<AuditAnchor> anchors,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(ReadHashes);
        command.Parameters.Add(
            new()
            {
                Value = anchors.Select(anchor => anchor.Number).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint,
            }
        );
        var hashes = new Dictionary<long, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            hashes[reader.GetInt64("id")] = reader.GetString("hash");
        return hashes;
    }
}
