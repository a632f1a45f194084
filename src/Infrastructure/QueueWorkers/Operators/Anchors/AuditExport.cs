using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using QueueWorkers.Clocks;

namespace QueueWorkers.Operators.Anchors;

/// <summary>
/// Writes the whole audit record as JSON lines, the oldest row first, each with its anchor; and a signed last line. The
/// export is kept outside, and proves later which rows there were.
/// </summary>
public sealed class AuditExport(AuditLog log, AuditVerifier verifier, AuditOptions options)
{
    private const int PageSize = 1000;

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    /// <summary>Whether there is a key to sign with.</summary>
    public bool CanSign => options.SigningKey != "";

    /// <summary>Writes it.</summary>
    /// <exception cref="InvalidOperationException">There is no key to sign with.</exception>
    public async Task WriteAsync(IBufferWriter<byte> output, Func<Task> flush, CancellationToken cancellationToken)
    {
        if (!CanSign)
            throw new InvalidOperationException(
                "Expected a key that signs exports, found none; set Audit__SigningKey."
            );
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Rows that are written meanwhile belong to the next export.
        var head = await verifier.HeadAsync(cancellationToken);
        var (records, last) = (0L, 0L);
        while (last < head?.Number)
        {
            var page = await log.ReadForwardAsync(last, head.Number, PageSize, cancellationToken);
            if (page.Count == 0)
                break;
            foreach (var entry in page)
            {
                var line = JsonSerializer.SerializeToUtf8Bytes(Line(entry), JsonSerializerOptions.Web);
                foreach (var part in (byte[][])[line, LineEnd])
                {
                    sum.AppendData(part);
                    output.Write(part);
                }
            }

            records += page.Count;
            last = page[^1].Id;
            await flush();
        }

        var seal = AuditSeal.Of(options.SigningKey, head, records, DatabaseClock.UtcNow, sum.GetHashAndReset());
        output.Write(JsonSerializer.SerializeToUtf8Bytes(seal, JsonSerializerOptions.Web));
        output.Write(LineEnd);
        await flush();
    }

    private static object Line(AuditEntry entry) =>
        new
        {
            anchor = new AuditAnchor(entry.Id, Convert.ToHexStringLower(entry.Hash)).ToString(),
            at = entry.At,
            who = entry.Who,
            role = entry.Role,
            action = entry.Action,
            target = entry.Target,
            filter = entry.Filter,
            count = entry.Count,
            reason = entry.Reason,
            result = entry.Result,
        };
}
