using Npgsql;
using QueueWorkers.Outbox;

namespace QueueWorkers.Steps.Runs;

/// <summary>For an application that derives nothing from the steps of a subject.</summary>
internal sealed class NoProgress : IStepProgress
{
    /// <inheritdoc />
    public Task<IReadOnlyList<OutboxMessage>> RecordAsync(
        NpgsqlConnection connection,
        IReadOnlyList<StepChange> changes
    ) => Task.FromResult<IReadOnlyList<OutboxMessage>>([]);
}
