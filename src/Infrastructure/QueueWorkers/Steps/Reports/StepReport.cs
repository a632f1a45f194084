using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.Steps.Reports;

/// <summary>
/// What one attempt of a step told about itself. There is a row only for attempts that told something.
/// </summary>
public sealed class StepReport
{
    /// <summary>What the step worked on.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>The original message id of the attempt.</summary>
    public Guid MessageId { get; init; }

    /// <summary>Which attempt on the message.</summary>
    public int Attempt { get; init; }

    /// <summary>How far it was, 0–1; null when it did not say.</summary>
    public double? Progress { get; init; }

    /// <summary>What it was at.</summary>
    public string? Activity { get; init; }

    /// <summary>Its log lines, oldest first; bounded.</summary>
    public string[] Log { get; init; } = [];

    /// <summary>What came out, as JSON; bounded; null when it did not say.</summary>
    public string? Result { get; init; }

    /// <summary>When this was written.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>The <c>step_reports</c> table.</summary>
public sealed class StepReportTable : IEntityTypeConfiguration<StepReport>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StepReport> builder)
    {
        builder.ToTable("step_reports");
        builder.HasKey(r => new
        {
            r.SubjectId,
            r.Step,
            r.MessageId,
            r.Attempt,
        });
        builder.Property(r => r.Result).HasColumnType("jsonb");
        builder.Property(r => r.At).HasDefaultValueSql("now()");
        builder.HasIndex(r => r.At).HasMethod("brin").HasDatabaseName("step_reports_at");
    }
}
