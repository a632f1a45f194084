using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using QueueWorkers.Scheduling.Changeable;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling;

/// <summary>
/// The <c>schedules</c> table (what recurs, and when next), the <c>schedule_runs</c> table (each firing, once), and the
/// <c>schedule_kinds</c> table (of what operators may create schedules).
/// </summary>
public sealed class ScheduleTables
    : IEntityTypeConfiguration<Schedule>,
        IEntityTypeConfiguration<ScheduleRun>,
        IEntityTypeConfiguration<ScheduleKindRow>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<Schedule> builder)
    {
        builder.ToTable("schedules");
        builder.HasKey(s => s.Name);
        builder.Property(s => s.LastResult).HasMaxLength(2000);
        builder.Property(s => s.Payload).HasColumnType("jsonb");
        builder.Property(s => s.Revision).HasDefaultValueSql("gen_random_uuid()");
    }

    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<ScheduleKindRow> builder)
    {
        builder.ToTable("schedule_kinds");
        builder.HasKey(k => k.Name);
        builder.Property(k => k.Fields).HasColumnType("jsonb");
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
