using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Monitoring;

/// <summary>
/// An attempt that failed: what the waterfall of a subject is drawn from. Attempts that succeed leave no such row, so
/// the normal way pays nothing.
/// </summary>
public sealed class StepAttempt
{
    /// <summary>What the step worked on.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>When the attempt began.</summary>
    public DateTimeOffset StartedAt { get; init; }

    /// <summary>When it failed.</summary>
    public DateTimeOffset EndedAt { get; init; }

    /// <summary>Its number, 1 for the first.</summary>
    public int Attempt { get; init; }

    /// <summary>When the next one is due; null when the message was dead-lettered.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>Why it failed: type and message.</summary>
    public string Fault { get; init; } = "";

    /// <summary>The process that made it.</summary>
    public string Host { get; init; } = "";
}

/// <summary>The <c>step_attempts</c> table.</summary>
public sealed class StepAttemptTable : IEntityTypeConfiguration<StepAttempt>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StepAttempt> builder)
    {
        builder.ToTable("step_attempts");
        builder.HasKey(a => new
        {
            a.SubjectId,
            a.Step,
            a.StartedAt,
        });
        builder.Property(a => a.EndedAt).HasDefaultValueSql("now()");
        builder.HasIndex(a => a.EndedAt).HasMethod("brin").HasDatabaseName("step_attempts_at");
    }
}
