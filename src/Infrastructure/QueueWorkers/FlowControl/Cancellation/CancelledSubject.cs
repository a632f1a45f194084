using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.FlowControl.Cancellation;

/// <summary>
/// Says that nothing more is to be begun for a subject. Written in the transaction that cancels it; read once a second
/// by every process that runs steps.
/// </summary>
public sealed class CancelledSubject
{
    /// <summary>What was cancelled.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>
/// The <c>cancelled_subjects</c> table. It only brings news: old rows may be purged, what was cancelled stays so by the
/// application's own rows.
/// </summary>
public sealed class CancelledSubjectTable : IEntityTypeConfiguration<CancelledSubject>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<CancelledSubject> builder)
    {
        builder.ToTable("cancelled_subjects");
        builder.HasKey(s => s.SubjectId);
        builder.Property(s => s.At).HasDefaultValueSql("now()");
        builder.HasIndex(s => s.At).HasDatabaseName("cancelled_subjects_at");
    }
}
