using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Operators;

/// <summary>
/// The <c>audit</c> table. Its migration adds what makes it a record: a trigger numbers each row and chains it to the
/// row before, one writer at a time, and another refuses every change, whoever asks. The role of the dashboard may only
/// insert and read.
/// </summary>
public sealed class AuditTable : IEntityTypeConfiguration<AuditEntry>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.ToTable("audit");
        builder.HasKey(e => e.Id);
        builder.Property(e => e.Id).ValueGeneratedNever();
        builder.Property(e => e.Filter).HasColumnType("jsonb");
        builder.HasIndex(e => new { e.Who, e.Id });
    }
}
