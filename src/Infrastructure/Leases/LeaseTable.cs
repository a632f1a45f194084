using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure.Leases;

/// <summary>The <c>leases</c> table: a few rows, each deleted by its holder.</summary>
public sealed class LeaseTable : IEntityTypeConfiguration<Lease>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Lease> builder)
    {
        builder.ToTable("leases");
        builder.HasKey(l => l.Name);
    }
}
