using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using QueueWorkers.DeadLetters;

namespace QueueWorkers.Redrive;

/// <summary>
/// The <c>redrives</c> and <c>redrive_items</c> tables. A partial unique index lets a message be in one outstanding
/// redrive only, whoever asks and however many ask at once.
/// </summary>
public sealed class RedriveTables : IEntityTypeConfiguration<RedriveRecord>, IEntityTypeConfiguration<RedriveItem>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<RedriveRecord> builder)
    {
        builder.ToTable("redrives");
        builder.HasKey(r => r.Id);
        builder.Property(r => r.Id).ValueGeneratedNever();
        builder.Property(r => r.CreatedAt).HasDefaultValueSql("now()");
        builder.Property(r => r.Filter).HasColumnType("jsonb");
        builder.Property(r => r.Patch).HasColumnType("jsonb");
        builder.HasIndex(r => r.FinishedAt).HasFilter("finished_at is not null").HasDatabaseName("redrives_finished");
        builder.HasIndex(r => r.Stage).HasFilter($"stage <> {RedriveStage.Done:D}").HasDatabaseName("redrives_open");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<RedriveItem> builder)
    {
        builder.ToTable("redrive_items");
        builder.HasKey(i => new { i.RedriveId, i.FailureId });
        builder.Property(i => i.Payload).HasColumnType("jsonb");
        builder.HasIndex(i => i.SettledAt).HasFilter("settled_at is not null").HasDatabaseName("redrive_items_settled");
        builder
            .HasIndex(i => i.FailureId)
            .IsUnique()
            .HasFilter($"state in ({RedriveItemState.Waiting:D}, {RedriveItemState.Sent:D})")
            .HasDatabaseName("redrive_items_outstanding");
        builder
            .HasIndex(i => new
            {
                i.RedriveId,
                i.State,
                i.FailureId,
            })
            .HasDatabaseName("redrive_items_state");
    }
}
