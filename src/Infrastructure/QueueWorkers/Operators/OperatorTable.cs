using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Operators;

/// <summary>The <c>operators</c> table.</summary>
public sealed class OperatorTable : IEntityTypeConfiguration<OperatorAccount>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<OperatorAccount> builder)
    {
        builder.ToTable("operators");
        builder.HasKey(o => o.Name);
        builder.HasIndex(o => o.ExternalId).IsUnique();
        builder.Property(o => o.Version).HasDefaultValue(1);
        builder.Property(o => o.CreatedAt).HasDefaultValueSql("now()");
    }
}
