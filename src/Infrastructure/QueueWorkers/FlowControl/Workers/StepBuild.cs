using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace QueueWorkers.FlowControl.Workers;

/// <summary>
/// That a step was first run by a build at some moment: the mark of a deployment. Written by the first process of the
/// build that runs the step, once in its life.
/// </summary>
public sealed class StepBuild
{
    /// <summary>The step.</summary>
    public string Step { get; init; } = "";

    /// <summary>The build, as in <see cref="Worker.Version"/>.</summary>
    public string Build { get; init; } = "";

    /// <summary>When a process of it first reported itself.</summary>
    public DateTimeOffset FirstSeenAt { get; init; }
}

/// <summary>
/// The <c>step_builds</c> table: a row per step and build, gone with the history that it explains, unless the build
/// still runs.
/// </summary>
public sealed class StepBuildTable : IEntityTypeConfiguration<StepBuild>
{
    /// <inheritdoc />
    public void Configure(EntityTypeBuilder<StepBuild> builder)
    {
        builder.ToTable("step_builds");
        builder.HasKey(b => new { b.Step, b.Build });
        builder.Property(b => b.FirstSeenAt).HasDefaultValueSql("now()");
    }
}
