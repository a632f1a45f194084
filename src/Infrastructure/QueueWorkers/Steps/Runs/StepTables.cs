using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Steps.Runs;

/// <summary>
/// The <c>step_runs</c> table (one row per subject and step) and the <c>step_catalogue</c> table (which steps exist,
/// written by the deployment).
/// </summary>
public sealed class StepTables : IEntityTypeConfiguration<StepRecord>, IEntityTypeConfiguration<CatalogueEntry>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StepRecord> builder)
    {
        builder.ToTable("step_runs");
        builder.HasKey(r => new { r.SubjectId, r.Step });
        builder.Property(r => r.LastFault).HasMaxLength(4000);
        // For figures of the last minutes. A block range index: PostgreSQL keeps updates on their page (HOT) in spite
        // of it.
        builder.HasIndex(r => r.FinishedAt).HasMethod("brin").HasDatabaseName("step_runs_finished");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<CatalogueEntry> builder)
    {
        builder.ToTable("step_catalogue");
        builder.HasKey(e => e.Step);
        builder.HasIndex(e => e.Bit).IsUnique();
        builder.Property(e => e.Consumes).HasDefaultValueSql("'{}'");
        builder.Property(e => e.Required).HasDefaultValue(true);
        builder.Property(e => e.Concurrency).HasDefaultValue(0);
        builder.Property(e => e.MaxConcurrency).HasDefaultValue(0);
        builder.Property(e => e.Rates).HasDefaultValue("");
    }
}
