using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Monitoring.History;

/// <summary>How a step did in one minute or one hour.</summary>
public sealed class StepPeriod
{
    /// <summary>60 or 3600.</summary>
    public int Seconds { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>When the period began.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>Runs that ended well.</summary>
    public long Done { get; init; }

    /// <summary>Attempts that failed.</summary>
    public long Failed { get; init; }

    /// <summary>Steps that were dead-lettered.</summary>
    public long DeadLettered { get; init; }

    /// <summary>
    /// Run time of one attempt, see <see cref="DurationSlots"/>: what ended well, and each attempt that failed.
    /// </summary>
    public int[] Run { get; init; } = [];

    /// <summary>Time in queue, likewise: from when a message was sent to the beginning of its first attempt.</summary>
    public int[] Queue { get; init; } = [];

    /// <summary>
    /// Time to done, likewise: from when a message was sent to the commit, with all retries and what was waited for
    /// between them.
    /// </summary>
    public int[] Total { get; init; } = [];
}

/// <summary>
/// The <c>step_history</c> table: a row per step and minute for two days, per step and hour for ninety.
/// </summary>
public sealed class StepHistoryTable : IEntityTypeConfiguration<StepPeriod>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StepPeriod> builder)
    {
        builder.ToTable("step_history");
        builder.HasKey(p => new
        {
            p.Seconds,
            p.From,
            p.Step,
        });
        builder.Property(p => p.From).HasColumnName("begins");
    }
}
