using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure.Idempotency;

/// <summary>The <c>idempotency</c> table (purged by age) and the <c>effects</c> table (permanent).</summary>
public sealed class IdempotencyTables : IEntityTypeConfiguration<IdempotencyRow>, IEntityTypeConfiguration<Effect>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<IdempotencyRow> builder)
    {
        builder.ToTable("idempotency");
        builder.HasKey(r => new { r.MessageId, r.Step });
        builder.Property(r => r.At).HasDefaultValueSql("now()");
        // Rows come in the order of time, so a block range index finds the old ones and costs an insert next to nothing.
        builder.HasIndex(r => r.At).HasMethod("brin").HasDatabaseName("idempotency_at");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Effect> builder)
    {
        builder.ToTable("effects");
        builder.HasKey(e => new { e.SubjectId, e.Name });
        builder.Property(e => e.Name).HasColumnName("effect");
        builder.Property(e => e.At).HasDefaultValueSql("now()");
        builder.HasIndex(e => e.LeaseUntil).HasFilter("state <> 2").HasDatabaseName("effects_open");
    }
}
