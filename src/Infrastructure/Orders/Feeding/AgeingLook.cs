using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure.Orders.Feeding;

/// <summary>Until when somebody looked for overtaken orders: one row for the installation (<see cref="AgeingTurn"/>).</summary>
public sealed class AgeingLook
{
    /// <summary>Always 1.</summary>
    public short Id { get; init; }

    /// <summary>The end of the last look.</summary>
    public DateTimeOffset LookedUntil { get; init; }

    /// <summary>When an order was last found unfinished at the first of the ages.</summary>
    public DateTimeOffset BusyAt { get; init; }
}

/// <summary>The <c>ageing_looks</c> table: its row is there from the beginning.</summary>
public sealed class AgeingLookTable : IEntityTypeConfiguration<AgeingLook>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<AgeingLook> builder)
    {
        builder.ToTable("ageing_looks");
        builder.Property(l => l.Id).ValueGeneratedNever();
        builder.HasData(new AgeingLook { Id = 1, LookedUntil = DateTimeOffset.UnixEpoch, BusyAt = DateTimeOffset.UnixEpoch });
    }
}
