using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling;

/// <summary>
/// The <c>schedules</c> table (what recurs, and when next) and the <c>schedule_runs</c> table (each firing, once).
/// </summary>
public sealed class ScheduleTables : IEntityTypeConfiguration<Schedule>, IEntityTypeConfiguration<ScheduleRun>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Schedule> builder)
    {
        builder.ToTable("schedules");
        builder.HasKey(s => s.Name);
        builder.Property(s => s.LastResult).HasMaxLength(2000);
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<ScheduleRun> builder)
    {
        builder.ToTable("schedule_runs");
        builder.HasKey(r => new { r.Schedule, r.DueAt });
        builder.Property(r => r.Result).HasMaxLength(2000);
        // What is left to do, however long the history: every process asks for it once a second.
        builder
            .HasIndex(r => new { r.DueAt, r.Schedule })
            .HasFilter($"status < {FiringStatus.Done:D}")
            .HasDatabaseName("schedule_runs_open");
        builder.HasIndex(r => r.FinishedAt).HasMethod("brin").HasDatabaseName("schedule_runs_finished");
    }
}
