using Npgsql;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;

namespace Orders.Chaos.Collecting;

/// <summary>
/// Reads what operators see and do: the index of failures, and redrives as the operator API shows them beside their
/// messages in the database.
/// </summary>
public sealed class RedriveEvidence(NpgsqlDataSource database, ChaosOperatorClient operators)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Reads it.</summary>
    /// <exception cref="TimeoutException">The operator API does not answer.</exception>
    public async Task<Evidence> ReadAsync(CancellationToken cancellationToken = default)
    {
        var promised = operators
            .Calls.Where(c => c is { Asked: OperatorCall.Redriven, Redrive: not null, Total: not null })
            .ToDictionary(c => c.Redrive!.Value, c => c.Total);
        var totals = await TotalsAsync(cancellationToken);
        var messages = await MessagesAsync(cancellationToken);
        return new Evidence
        {
            Index = await IndexAsync(cancellationToken),
            Redrives = [.. totals.Select(t => new Redrive(t, promised.GetValueOrDefault(t.Id), [.. messages[t.Id]]))],
        };
    }

    private async Task<IReadOnlyList<RedriveTotals>> TotalsAsync(CancellationToken cancellationToken)
    {
        for (
            var deadline = DateTimeOffset.UtcNow + Patience;
            DateTimeOffset.UtcNow < deadline;
            await Task.Delay(Pause, cancellationToken)
        )
        {
            if (await operators.ListAsync(cancellationToken) is { } redrives)
                return redrives;
        }

        throw new TimeoutException($"The operator API did not list its redrives within {Patience.TotalSeconds:0} s.");
    }

    private async Task<List<IndexedFailure>> IndexAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"select case when queue = 'outbox' then $1 else queue end, message_id from failures where state = {StoredCodes.FailureFailed}"
        );
        command.Parameters.Add(new() { Value = FoundDeadLetter.Quarantine });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var index = new List<IndexedFailure>();
        while (await reader.ReadAsync(cancellationToken))
            index.Add(new IndexedFailure(reader.GetString(0), reader.GetGuid(1)));
        return index;
    }

    private async Task<ILookup<Guid, RedrivenMessage>> MessagesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select i.redrive_id, i.failure_id, f.subject_id, f.step, i.state from redrive_items i join failures f on f.id = i.failure_id"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var messages = new List<(Guid Redrive, RedrivenMessage Message)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            // States count from 1 in the database.
            messages.Add(
                (
                    reader.GetGuid(0),
                    new RedrivenMessage(
                        reader.GetGuid(1),
                        reader.IsDBNull(2) ? null : reader.GetGuid(2),
                        reader.IsDBNull(3) ? null : reader.GetString(3),
                        (RedrivenState)(reader.GetInt16(4) - 1)
                    )
                )
            );
        }

        return messages.ToLookup(m => m.Redrive, m => m.Message);
    }
}
