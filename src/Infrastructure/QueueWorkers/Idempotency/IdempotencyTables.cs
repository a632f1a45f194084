using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Idempotency;

/// <summary>
/// The <c>idempotency</c> table (purged by age), the <c>effects</c> table (permanent), and the evidence of what they
/// kept from happening twice.
/// </summary>
public sealed class IdempotencyTables
    : IEntityTypeConfiguration<IdempotencyRow>,
        IEntityTypeConfiguration<Effect>,
        IEntityTypeConfiguration<Duplicate>,
        IEntityTypeConfiguration<DuplicateCount>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<IdempotencyRow> builder)
    {
        builder.ToTable("idempotency");
        builder.HasKey(r => new { r.MessageId, r.Step });
        builder.Property(r => r.At).HasDefaultValueSql("now()");
        // Rows come in the order of time, so a block range index finds the old ones and costs an insert next to
        // nothing.
        builder.HasIndex(r => r.At).HasMethod("brin").HasDatabaseName("idempotency_at");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Effect> builder)
    {
        builder.ToTable("effects");
        builder.HasKey(e => new { e.SubjectId, e.Name });
        builder.Property(e => e.Name).HasColumnName("effect");
        builder.Property(e => e.At).HasDefaultValueSql("now()");
        builder.HasIndex(e => e.LeaseUntil).HasFilter($"state <> {EffectState.Done:D}").HasDatabaseName("effects_open");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Duplicate> builder)
    {
        builder.ToTable("duplicates");
        builder.HasKey(d => d.Id);
        builder.HasIndex(d => d.SubjectId);
        builder.HasIndex(d => d.At).HasMethod("brin").HasDatabaseName("duplicates_at");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<DuplicateCount> builder)
    {
        builder.ToTable("duplicate_counts");
        builder.HasKey(c => new
        {
            c.Minute,
            c.Step,
            c.Cause,
        });
    }
}
