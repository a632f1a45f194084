using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Says that a step of an order got its message a second time, in a higher class, because the order had been overtaken
/// for too long. There is at most one for each class.
/// </summary>
public sealed class AgedMessage
{
    /// <summary>The order.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>The class of the copy.</summary>
    public short Priority { get; init; }

    /// <summary>When it was written.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>The <c>aged_messages</c> table: only for orders that were really overtaken, and purged soon.</summary>
public sealed class AgedMessageTable : IEntityTypeConfiguration<AgedMessage>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<AgedMessage> builder)
    {
        builder.ToTable("aged_messages");
        builder.HasKey(m => new
        {
            m.SubjectId,
            m.Step,
            m.Priority,
        });
        builder.Property(m => m.At).HasDefaultValueSql("now()");
        builder.HasIndex(m => m.At).HasDatabaseName("aged_messages_at");
    }
}
