using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>
/// The <c>suspects</c> table: messages that may be what kills their process, or that were dead-lettered for it. Empty on
/// a good day.
/// </summary>
public sealed class SuspectTable : IEntityTypeConfiguration<Suspect>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Suspect> builder)
    {
        builder.ToTable("suspects");
        builder.HasKey(s => new { s.MessageId, s.Step });
        builder.Property(s => s.Generation).HasDefaultValue(0);
        builder.Property(s => s.Lost).HasDefaultValue(0);
        builder.Property(s => s.At).HasDefaultValueSql("now()");
    }
}
