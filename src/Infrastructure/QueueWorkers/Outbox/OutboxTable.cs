using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Outbox;

/// <summary>
/// The <c>outbox</c> table: messages that still have to reach the broker, delayed ones and quarantined ones.
/// </summary>
public sealed class OutboxTable : IEntityTypeConfiguration<OutboxMessage>
{
    /// <summary>How long the process that wrote a row has to send it before any other relay may take it over.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OutboxMessage> builder)
    {
        builder.ToTable("outbox");
        builder.HasKey(m => m.Id);
        builder.Property(m => m.Id).ValueGeneratedNever();
        builder
            .Property(m => m.DueAt)
            .IsRequired()
            .HasDefaultValueSql($"now() + interval '{Lease.TotalSeconds:0} seconds'");
        // Partial: quarantined rows do not lie in the way of the poller, however many there are.
        builder.HasIndex(m => m.DueAt).HasFilter("dead_at is null").HasDatabaseName("outbox_due");
        // A second way in, for the higher class only: its rows are found at once however many others are due.
        builder
            .HasIndex(m => m.DueAt, "outbox_due_first")
            .HasFilter("dead_at is null and priority > 4")
            .HasDatabaseName("outbox_due_first");
        builder.HasIndex(m => m.DeadAt).HasFilter("dead_at is not null").HasDatabaseName("outbox_quarantine");
    }
}
