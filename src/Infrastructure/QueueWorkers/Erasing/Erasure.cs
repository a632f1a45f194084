using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Erasing;

/// <summary>
/// The erasure of one person's data. The row names nobody, and stays: after a backup was restored it says whose data
/// have to be erased once more.
/// </summary>
public sealed class Erasure
{
    /// <summary>The erasure, a version 7 UUID of its time.</summary>
    public Guid Id { get; init; }

    /// <summary>Who it was, as a hash with the installation's secret.</summary>
    public byte[] PersonHash { get; init; } = [];

    /// <summary>The operator who asked for it.</summary>
    public string RequestedBy { get; init; } = "";

    /// <summary>Why, in the operator's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When it was asked for. What the person began later is not concerned.</summary>
    public DateTimeOffset RequestedAt { get; init; }

    /// <summary>Rows to erase: subjects, and failures that quote the person.</summary>
    public long Total { get; init; }

    /// <summary>How many of them are erased.</summary>
    public long Done { get; init; }

    /// <summary>When the last row was erased and the last message taken out of its queue; null before.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>
    /// Which queues keep it from being finished, and why, a sentence each; null while nothing does.
    /// </summary>
    public string? WaitingFor { get; init; }
}

/// <summary>Something that an erasure has still to erase; the row goes in the transaction that erases it.</summary>
public sealed class ErasureItem
{
    /// <summary>The erasure.</summary>
    public Guid ErasureId { get; init; }

    /// <summary>What it is.</summary>
    public ErasureItemKind Kind { get; init; }

    /// <summary>Its id.</summary>
    public Guid Id { get; init; }
}

/// <summary>What an erasure erases. Stored as its number.</summary>
public enum ErasureItemKind : short
{
    /// <summary>A subject: all rows that have its id.</summary>
    Subject = 1,

    /// <summary>A failure without a known subject that quotes the person.</summary>
    Failure = 2,
}

/// <summary>The tables <c>erasures</c> and <c>erasure_items</c>.</summary>
public sealed class ErasureTables : IEntityTypeConfiguration<Erasure>, IEntityTypeConfiguration<ErasureItem>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Erasure> builder)
    {
        builder.ToTable("erasures");
        builder.HasKey(e => e.Id);
        builder.Property(e => e.Id).ValueGeneratedNever();
        builder.Property(e => e.RequestedAt).HasDefaultValueSql("now()");
        // Two who ask for the same erasure at once make one.
        builder
            .HasIndex(e => e.PersonHash)
            .IsUnique()
            .HasFilter("finished_at is null")
            .HasDatabaseName("erasures_open");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<ErasureItem> builder)
    {
        builder.ToTable("erasure_items");
        builder.HasKey(i => new
        {
            i.ErasureId,
            i.Kind,
            i.Id,
        });
    }
}
