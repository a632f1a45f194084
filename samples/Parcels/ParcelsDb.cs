using Microsoft.EntityFrameworkCore;
using QueueWorkers;

namespace Parcels;

/// <summary>The application's tables, and the framework's.</summary>
public sealed class ParcelsDb(DbContextOptions<ParcelsDb> options) : DbContext(options)
{
    public DbSet<Parcel> Parcels => Set<Parcel>();

    public DbSet<TrackingEvent> Tracking => Set<TrackingEvent>();

    public DbSet<Summary> Summaries => Set<Summary>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.UseQueueWorkers();
}

/// <summary>A parcel.</summary>
public sealed class Parcel
{
    public Guid Id { get; init; } = Guid.CreateVersion7();

    public required string Recipient { get; init; }

    public int Grams { get; init; }

    public string? TrackingNumber { get; set; }
}

/// <summary>What happened to a parcel.</summary>
public sealed class TrackingEvent
{
    public long Id { get; init; }

    public Guid ParcelId { get; init; }

    public required string What { get; init; }

    public DateTimeOffset At { get; init; } = DateTimeOffset.UtcNow;
}

/// <summary>How many parcels there were at a time.</summary>
public sealed class Summary
{
    public Guid Id { get; init; }

    public DateTimeOffset At { get; init; }

    public int Parcels { get; init; }
}
