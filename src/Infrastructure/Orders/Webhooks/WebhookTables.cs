using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Orders.Infrastructure.Webhooks;

/// <summary>The tables <c>webhooks</c> and <c>webhook_deliveries</c>.</summary>
public sealed class WebhookTables : IEntityTypeConfiguration<Webhook>, IEntityTypeConfiguration<WebhookDelivery>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Webhook> builder)
    {
        builder.ToTable("webhooks");
        builder.HasKey(w => w.Id);
        builder.Property(w => w.CreatedAt).HasDefaultValueSql("now()");
        // A client that repeats a registration, because its answer was lost, does not get every event twice.
        builder.HasIndex(w => new { w.ClientId, w.Url }).IsUnique();
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.ToTable("webhook_deliveries");
        builder.HasKey(d => d.Id);
        builder.HasIndex(d => new { d.WebhookId, d.Id }).IsDescending(false, true);
        builder.HasIndex(d => d.OrderId).HasFilter("order_id is not null");
        builder.HasIndex(d => d.At).HasMethod("brin").HasDatabaseName("webhook_deliveries_at");
    }
}
