using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Bulk;

/// <summary>The <c>bulk_actions</c> and <c>bulk_items</c> tables.</summary>
public sealed class BulkTables : IEntityTypeConfiguration<BulkAction>, IEntityTypeConfiguration<BulkItem>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<BulkAction> builder)
    {
        builder.ToTable("bulk_actions");
        builder.HasKey(a => a.Id);
        builder.Property(a => a.Id).ValueGeneratedNever();
        builder.Property(a => a.Filter).HasColumnType("jsonb");
        builder.Property(a => a.Rehearsal).HasColumnType("jsonb");
        builder.Property(a => a.CreatedAt).HasDefaultValueSql("now()");
        builder.Property(a => a.MovedAt).HasDefaultValueSql("now()");
        builder.Ignore(a => a.Left);
        builder.Ignore(a => a.Found);
        builder.HasIndex(a => a.FinishedAt).HasFilter("finished_at is not null").HasDatabaseName("bulk_actions_ended");
        builder
            .HasIndex(a => a.State)
            .HasFilter($"state in ({BulkState.Rehearsed:D}, {BulkState.Running:D})")
            .HasDatabaseName("bulk_actions_open");
        // One request of a client makes one bulk action, however many of its copies come at once.
        builder
            .HasIndex(a => new { a.CreatedBy, a.IdempotencyKey })
            .IsUnique()
            .HasFilter("idempotency_key is not null")
            .HasDatabaseName("bulk_actions_key");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<BulkItem> builder)
    {
        builder.ToTable("bulk_items");
        builder.HasKey(i => new { i.BulkActionId, i.TargetId });
        builder.HasIndex(i => i.SettledAt).HasFilter("settled_at is not null").HasDatabaseName("bulk_items_settled");
        builder
            .HasIndex(i => new
            {
                i.BulkActionId,
                i.State,
                i.TargetId,
            })
            .HasDatabaseName("bulk_items_state");
    }
}
