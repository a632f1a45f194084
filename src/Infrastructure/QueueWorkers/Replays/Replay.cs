using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Replays;

/// <summary>
/// A replay: a step is fed with past subjects. The row is the whole state; whoever holds its lock goes on where the
/// last one stopped.
/// </summary>
public sealed class Replay
{
    /// <summary>The replay.</summary>
    public Guid Id { get; init; }

    /// <summary>The step that is fed.</summary>
    public string Step { get; init; } = "";

    /// <summary>Which subjects, in the application's own terms (JSON).</summary>
    public string Filter { get; init; } = "{}";

    /// <summary>At most so many a second.</summary>
    public int PerSecond { get; init; }

    /// <summary>Where it stands.</summary>
    public ReplayState State { get; init; }

    /// <summary>The last subject that was looked at; null at the beginning.</summary>
    public Guid? Cursor { get; init; }

    /// <summary>Subjects looked at.</summary>
    public long Seen { get; init; }

    /// <summary>Messages written.</summary>
    public long Fed { get; init; }

    /// <summary>Subjects left out because the step had been done for them.</summary>
    public long AlreadyDone { get; init; }

    /// <summary>Who asked for it.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>When.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last worked on.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Why it stands still, if it failed.</summary>
    public string? LastError { get; init; }
}

/// <summary>Where a replay stands. Stored as its number.</summary>
public enum ReplayState : short
{
    /// <summary>Goes on by itself.</summary>
    Running = 0,

    /// <summary>Held by an operator; goes on from its cursor when resumed.</summary>
    Stopped = 1,

    /// <summary>Every subject was looked at.</summary>
    Finished = 2,

    /// <summary>Cannot go on; <see cref="Replay.LastError"/> says why.</summary>
    Failed = 3,
}

/// <summary>The <c>replays</c> table.</summary>
public sealed class ReplayTable : IEntityTypeConfiguration<Replay>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Replay> builder)
    {
        builder.ToTable("replays");
        builder.HasKey(r => r.Id);
        builder.Property(r => r.Id).ValueGeneratedNever();
        builder.Property(r => r.Filter).HasColumnType("jsonb");
        builder.Property(r => r.CreatedAt).HasDefaultValueSql("now()");
        builder.Property(r => r.UpdatedAt).HasDefaultValueSql("now()");
        builder
            .HasIndex(r => r.State)
            .HasFilter($"state in ({ReplayState.Running:D})")
            .HasDatabaseName("replays_running");
    }
}
