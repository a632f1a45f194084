using Microsoft.EntityFrameworkCore;
using QueueWorkers.Hosting;
using QueueWorkers.Retention;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;

namespace QueueWorkers;

/// <summary>What a host is made of; everything else is configuration.</summary>
public sealed class QueueWorkersOptions
{
    /// <summary>
    /// The name that the host reports itself by in traces and metrics. Null: the application's name.
    /// </summary>
    public string? Service { get; set; }

    /// <summary>The steps of the application. A host without any publishes only.</summary>
    public StepCatalogue Steps { get; set; } = new();

    /// <summary>
    /// Whether the setting <c>Workers:Steps</c> must say which steps run here. Default: no, without it all of them run.
    /// </summary>
    public bool MustChooseSteps { get; set; }

    /// <summary>
    /// The schedules. One named <c>purge</c>, which deletes what is older than it is kept, is added unless the catalogue
    /// has a <see cref="PurgeJob"/>, or <see cref="Retention"/> is null.
    /// </summary>
    public ScheduleCatalogue Schedules { get; set; } = new();

    /// <summary>
    /// How long the added <c>purge</c> keeps rows of the application's own tables. Default: for ever. Null: no
    /// <c>purge</c> is added.
    /// </summary>
    public IReadOnlyList<RetentionRule>? Retention { get; set; } = [];

    /// <summary>Configures the context beyond its database, such as a naming convention. Null: nothing.</summary>
    public Action<DbContextOptionsBuilder>? Context { get; set; }

    /// <summary>
    /// The names of all settings: variables that look like one and are none are logged at the start, and weak secrets
    /// are refused outside of the environment <c>Development</c>. Null: neither.
    /// </summary>
    public KnownSettings? Settings { get; set; }

    internal ScheduleCatalogue WithPurge() =>
        Retention is not { } rules || Schedules.Schedules.Any(schedule => schedule.Job == typeof(PurgeJob))
            ? Schedules
            : Schedules.Run<PurgeJob>(
                "purge",
                "*/10 * * * *",
                Misfire.Skip,
                services: (services, configuration) => services.AddRetention(configuration, rules)
            );
}
