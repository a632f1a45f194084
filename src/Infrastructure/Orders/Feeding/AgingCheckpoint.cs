using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Until when somebody looked for overtaken orders: one row for the installation (<see cref="AgingTurn"/>).
/// </summary>
public sealed class AgingCheckpoint
{
    /// <summary>Always 1.</summary>
    public short Id { get; init; }

    /// <summary>The end of the last look.</summary>
    public DateTimeOffset LookedUntil { get; init; }

    /// <summary>When an order was last found unfinished at the first of the ages.</summary>
    public DateTimeOffset BusyAt { get; init; }
}

/// <summary>The <c>aging_checkpoints</c> table: its row is there from the beginning.</summary>
public sealed class AgingCheckpointTable : IEntityTypeConfiguration<AgingCheckpoint>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<AgingCheckpoint> builder)
    {
        builder.ToTable("aging_checkpoints");
        builder.Property(l => l.Id).ValueGeneratedNever();
        builder.HasData(
            new AgingCheckpoint
            {
                Id = 1,
                LookedUntil = DateTimeOffset.UnixEpoch,
                BusyAt = DateTimeOffset.UnixEpoch,
            }
        );
    }
}
