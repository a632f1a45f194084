using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Monitoring.Alerts;

/// <summary>The tables <c>alert_rules</c> and <c>alerts</c>.</summary>
public sealed class AlertTables : IEntityTypeConfiguration<AlertRule>, IEntityTypeConfiguration<Alert>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<AlertRule> builder)
    {
        builder.ToTable("alert_rules");
        builder.HasKey(r => r.Name);
        builder.HasData(AlertRule.Defaults);
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Alert> builder)
    {
        builder.ToTable("alerts");
        builder.HasKey(a => a.Id);
        builder.Property(a => a.Id).HasDefaultValueSql("uuidv7()");
        builder.Property(a => a.Since).HasDefaultValueSql("now()");
        builder
            .HasIndex(a => new { a.Rule, a.Subject })
            .IsUnique()
            .HasFilter("resolved_at is null")
            .HasDatabaseName("alerts_open");
        builder.HasIndex(a => a.ResolvedAt).HasFilter("resolved_at is not null").HasDatabaseName("alerts_resolved");
        builder.HasIndex(a => a.FiredAt).HasDatabaseName("alerts_fired");
    }
}
