using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>The <c>suspects</c> table: messages that may be what kills their process. Empty on a good day.</summary>
public sealed class SuspectTable : IEntityTypeConfiguration<Suspect>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Suspect> builder)
    {
        builder.ToTable("suspects");
        builder.HasKey(s => new { s.MessageId, s.Step });
        builder.Property(s => s.At).HasDefaultValueSql("now()");
    }
}
