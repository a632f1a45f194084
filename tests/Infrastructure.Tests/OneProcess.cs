using Npgsql;
using NpgsqlTypes;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Consuming;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests;

/// <summary>
/// The committing part of a process, without broker: its own connections, its own writer. Two of them meet as two
/// processes do.
/// </summary>
internal sealed class OneProcess : IAsyncDisposable
{
    private readonly NpgsqlDataSource _database;
    private readonly RelayFeed _feed = new();

    public OneProcess(OrdersSystem system)
    {
        _database = NpgsqlDataSource.Create(system.Database.ConnectionString);
        var progress = new OrderProgressRecorder(new StepBitmask());
        Committer = new StepCommitter(_database, [new NoteWriter()], progress, _feed);
        Failures = new StepFailures(_database, progress, _feed);
        Skips = new SkippedSteps(_database, progress, _feed);
    }

    public StepCommitter Committer { get; }

    public StepFailures Failures { get; }

    public SkippedSteps Skips { get; }

    public static StepRun Run(StepPolicy policy, Guid subject, Guid? message = null) =>
        new(policy, message ?? Guid.NewGuid(), subject, Guid.NewGuid(), 1, null);

    /// <summary>What the index of failures gets with a run's last attempt.</summary>
    public static DeadLetter DeadLetterOf(StepRun run, int generation = 0) =>
        new()
        {
            Queue = $"{run.Step}_error",
            Kind = FailureKind.Error,
            Identity = run.MessageId,
            MessageId = run.MessageId,
            Generation = generation,
            Step = run.Step,
            MessageType = "Orders.Testing.Zoo:Feed",
            SubjectId = run.SubjectId,
            FaultType = "System.InvalidOperationException",
            FaultMessage = "No.",
            Payload = $$"""{"animalId":"{{run.SubjectId}}"}""",
            Body = Envelope.Write(
                new Feed(run.SubjectId),
                run.MessageId,
                run.SubjectId,
                run.ConversationId,
                null,
                DateTimeOffset.UtcNow
            ),
            ContentType = "application/vnd.masstransit+json",
        };

    public async ValueTask DisposeAsync()
    {
        await Committer.DisposeAsync();
        await _database.DisposeAsync();
        _feed.Dispose();
    }
}

/// <summary>Rows of a test's own: table <c>notes (subject uuid, n integer check (n &gt; 0))</c>.</summary>
internal sealed record Note(int N) : IStepWrite
{
    public const string Table = "create table notes (subject uuid, n integer check (n > 0))";
}

internal sealed class NoteWriter : StepWriter<Note>
{
    public override int LockOrder => 100;

    protected override async Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<(StepRun Run, Note Write)> runs)
    {
        await using var command = new NpgsqlCommand("insert into notes select * from unnest($1, $2)", connection);
        command.Parameters.Add(new() { Value = runs.Select(r => r.Run.SubjectId).ToArray() });
        command.Parameters.Add(
            new()
            {
                Value = runs.Select(r => r.Write.N).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer,
            }
        );
        await command.ExecuteNonQueryAsync();
    }
}
