using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Messaging;

/// <summary>
/// A queue that was deployed for an integration event. An integration event without any is not made: nobody could tell
/// the difference, and it would cost a row, a publish and a delete.
/// </summary>
public sealed class Subscription
{
    /// <summary>The integration event's exchange, such as <c>Shop.Contracts:ParcelSent</c>.</summary>
    public string Exchange { get; init; } = "";

    /// <summary>The queue.</summary>
    public string Queue { get; init; } = "";
}

/// <summary>
/// The <c>subscriptions</c> table, written by the deployment and read inside the commits that would publish.
/// </summary>
public sealed class SubscriptionTable : IEntityTypeConfiguration<Subscription>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Subscription> builder)
    {
        builder.ToTable("subscriptions");
        builder.HasKey(s => new { s.Exchange, s.Queue });
    }
}
