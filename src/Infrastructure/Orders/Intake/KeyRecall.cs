using Npgsql;
using Orders.Infrastructure.Telemetry;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;

namespace Orders.Infrastructure.Intake;

/// <summary>
/// Finds what was posted before under an Idempotency-Key, for a post that cannot become an order itself: its article is
/// no longer sold, or the catalogue is not known. Keys that are asked for at the same moment share a round trip. Writes
/// nothing.
/// </summary>
public sealed class KeyRecall(
    NpgsqlDataSource database,
    OrderIntake intake,
    DuplicateEvidence? duplicates = null,
    OrderMetrics? metrics = null
) : GroupCommitter<KeyUse, IntakeResult?>
{
    /// <summary>Looks a key up.</summary>
    /// <returns>What the key stands for; null when nobody has used it.</returns>
    /// <exception cref="NpgsqlException">The database refused or was not there.</exception>
    public Task<IntakeResult?> RecallAsync(KeyUse use) =>
        intake.IsInFlight(use)
            ? Task.FromResult<IntakeResult?>(new IntakeResult(IntakeOutcome.KeyInFlight, null))
            : CommitAsync(use);

    /// <inheritdoc />
    protected override async Task<IntakeResult?[]> WriteAsync(IReadOnlyList<KeyUse> units)
    {
        var results = await PostedKeysSql.RecallAsync(database, units, WaitsBriefly);
        foreach (var result in results)
        {
            if (result is not { Outcome: IntakeOutcome.Replayed, Order: { } order })
                continue;
            duplicates?.AddRepeatedPost(order.Id);
            metrics?.Repeated();
        }

        return results;
    }

    /// <inheritdoc />
    protected override bool IsUnitFault(Exception exception) => DatabaseFault.IsUnitFault(exception);
}
