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

    /// <summary>Header of a message that waits for its step: why. The column <c>deferred_by</c>.</summary>
    internal const string CauseHeader = "Deferred-By";

    /// <summary>
    /// Header of a message that waits for its step: since when, in milliseconds since 1970; again after each attempt.
    /// </summary>
    internal const string DeferredSinceHeader = "Deferred-Since";

    /// <summary>
    /// Header of a message that waits for its step: since when, whatever was tried meanwhile. The column
    /// <c>deferred_since</c>.
    /// </summary>
    internal const string FirstDeferredHeader = "Deferred-First";

    // Both are made by the database from the headers: whoever writes a row needs not know of them, and a row that
    // does not wait pays for a search of its headers by each column. A quarantined row waits for an operator, and for
    // no attempt. What is no number (a foreign header of this name) is no time.
    private const string DeferredBy =
        $"case when dead_at is null and headers like '%\"{CauseHeader}\"%' "
        + $"then left(headers::jsonb ->> '{CauseHeader}', 40) end";

    private const string DeferredSince =
        $"case when headers like '%\"{CauseHeader}\"%' then to_timestamp(coalesce("
        + $"substring(headers from '\"{FirstDeferredHeader}\":([0-9]{{1,14}})[,}}]'), "
        + $"substring(headers from '\"{DeferredSinceHeader}\":([0-9]{{1,14}})[,}}]'))::double precision / 1000) end";

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
        // What waits for its step, by step, cause and due time: the dashboard counts in the index, and reads pages of
        // the table only where vacuum has not been yet. Its filter names no other column, so that the look names none,
        // and PostgreSQL cannot take the index of due rows instead.
        builder.Property<string?>("deferred_by").HasComputedColumnSql(DeferredBy, stored: true);
        builder.Property<DateTimeOffset?>("deferred_since").HasComputedColumnSql(DeferredSince, stored: true);
        builder
            .HasIndex(nameof(OutboxMessage.Exchange), "deferred_by", nameof(OutboxMessage.DueAt))
            .IncludeProperties("deferred_since")
            .HasFilter("deferred_by is not null")
            .HasDatabaseName("outbox_waiting");
        builder.HasIndex(m => m.DeadAt).HasFilter("dead_at is not null").HasDatabaseName("outbox_quarantine");
    }
}
