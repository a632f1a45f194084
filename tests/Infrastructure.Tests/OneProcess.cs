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
    private readonly RelayFeed _feed = new();

    public OneProcess(OrdersSystem system)
    {
        Database = Patient(system);
        var progress = new OrderProgressRecorder(new StepBitmask());
        Committer = new StepCommitter(Database, [new NoteWriter()], progress, _feed);
        Failures = new StepFailures(Database, progress, _feed);
        Skips = new SkippedSteps(Database, progress, _feed);
    }

    public NpgsqlDataSource Database { get; }

    public StepCommitter Committer { get; }

    public StepFailures Failures { get; }

    public SkippedSteps Skips { get; }

    public static StepRun Run(StepPolicy policy, Guid subject, Guid? message = null) =>
        new(policy, message ?? Guid.NewGuid(), subject, Guid.NewGuid(), 1, null);

    /// <summary>A run of a message of the step that does an effect beside the step's own.</summary>
    public static StepRun Apology(StepPolicy policy, Guid subject, Guid? message = null)
    {
        var run = Run(policy, subject, message);
        (run.Effect, run.IsSecondary) = ("apology", true);
        return run;
    }

    /// <summary>
    /// Connections that wait for a lock for as long as it takes: the deployment sets a limit, and a test that holds a
    /// row until several others stand at it may need longer on a busy machine.
    /// </summary>
    public static NpgsqlDataSource Patient(OrdersSystem system) =>
        NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(system.Database.ConnectionString) { Options = "-c lock_timeout=0" }
        );

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
        await Database.DisposeAsync();
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
