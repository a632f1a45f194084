using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Completeness;

/// <summary>
/// The tables of the completeness check: how far it has come, what it has to look at again, and what it found.
/// </summary>
public sealed class CompletenessTables
    : IEntityTypeConfiguration<Gap>,
        IEntityTypeConfiguration<OpenSubject>,
        IEntityTypeConfiguration<CompletenessMark>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Gap> builder)
    {
        builder.ToTable("completeness_gaps");
        builder.HasKey(g => new
        {
            g.SubjectId,
            g.Effect,
            g.Kind,
        });
        builder.Property(g => g.FoundAt).HasDefaultValueSql("now()");
        builder.Property(g => g.SeenAt).HasDefaultValueSql("now()");
        builder
            .HasIndex(g => new { g.FoundAt, g.SubjectId })
            .HasFilter("closed_at is null")
            .HasDatabaseName("completeness_gaps_open");
        builder
            .HasIndex(g => g.ClosedAt)
            .HasFilter("closed_at is not null")
            .HasDatabaseName("completeness_gaps_closed");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OpenSubject> builder)
    {
        builder.ToTable("completeness_open");
        builder.HasKey(o => o.SubjectId);
        builder.HasIndex(o => o.CheckAt).HasDatabaseName("completeness_open_due");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<CompletenessMark> builder)
    {
        builder.ToTable("completeness_marks");
        builder.HasKey(m => m.Kind);
        builder.Property(m => m.At).HasDefaultValueSql("now()");
    }
}
