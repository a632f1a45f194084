using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.RateLimits;
using QueueWorkers.FlowControl.Workers;

namespace QueueWorkers.FlowControl;

/// <summary>The tables of the controls. All are small, and read or written about once a second per process.</summary>
public sealed class ControlTables
    : IEntityTypeConfiguration<StepControl>,
        IEntityTypeConfiguration<Worker>,
        IEntityTypeConfiguration<Breaker>,
        IEntityTypeConfiguration<DependencyCalls>,
        IEntityTypeConfiguration<RateBucket>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StepControl> builder)
    {
        builder.ToTable("step_controls");
        builder.HasKey(c => c.Step);
        // Of the catalogue.
        builder.Ignore(c => c.DefaultReplicaLimit).Ignore(c => c.MostReplicaLimit).Ignore(c => c.DefaultRates);
        builder.Property(c => c.ChangedAt).HasDefaultValueSql("now()");
        builder.Property(c => c.ChangedBy).HasDefaultValue("");
        builder.Property(c => c.Reason).HasDefaultValue("");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Worker> builder)
    {
        builder.ToTable("workers");
        builder.HasKey(w => w.Id);
        builder.Property(w => w.Id).ValueGeneratedNever();
        builder.HasIndex(w => w.LastSeenAt);
        // Written and read as a whole, by SQL of its own.
        builder.Ignore(w => w.Runs).Ignore(w => w.IsDrained);
        builder
            .Property<string>("RunsJson")
            .HasColumnName("runs")
            .HasColumnType("jsonb")
            .HasDefaultValueSql("'[]'")
            .IsRequired();
        builder.Property(w => w.MaxConnections).HasDefaultValue(0);
        builder.Property(w => w.DrainBy).HasDefaultValue("");
        builder.Property(w => w.DrainReason).HasDefaultValue("");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Breaker> builder)
    {
        builder.ToTable("breakers");
        builder.HasKey(b => b.Dependency);
        builder.Ignore(b => b.Effective);
        builder.Property(b => b.ChangedAt).HasDefaultValueSql("now()");
        builder.Property(b => b.Reason).HasDefaultValue("");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<DependencyCalls> builder)
    {
        builder.ToTable("dependency_calls");
        builder.HasKey(c => new { c.Dependency, c.Slice });
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<RateBucket> builder)
    {
        builder.ToTable("rate_buckets");
        builder.HasKey(b => b.Name);
        builder.HasIndex(b => b.NextSlot);
    }
}
