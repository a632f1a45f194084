using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Outbox;

/// <summary>A destination that takes nothing, as all relays share it: who tries it next, and when.</summary>
public sealed class SlowDestination
{
    /// <summary>The exchange.</summary>
    public string Exchange { get; init; } = "";

    /// <summary>The routing key; empty for a fan-out.</summary>
    public string RoutingKey { get; init; } = "";

    /// <summary>Why it is here: the broker's answer, or its silence.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When it was found.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>The wait before the next trial; it doubles with each trial that fails.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>From when on any relay may make the next trial.</summary>
    public DateTimeOffset TrialAt { get; init; }
}

/// <summary>The <c>slow_destinations</c> table: empty, as a rule.</summary>
public sealed class SlowDestinationTable : IEntityTypeConfiguration<SlowDestination>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<SlowDestination> builder)
    {
        builder.ToTable("slow_destinations");
        builder.HasKey(d => new { d.Exchange, d.RoutingKey });
        builder.Property(d => d.Since).HasDefaultValueSql("now()");
    }
}
