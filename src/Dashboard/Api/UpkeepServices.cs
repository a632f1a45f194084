using QueueWorkers.Completeness;
using QueueWorkers.Idempotency;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Api;

/// <summary>
/// Registers what stands behind <see cref="SchedulesApi"/>, <see cref="CompletenessApi"/> and
/// <see cref="DuplicatesApi"/>.
/// </summary>
internal static class UpkeepServices
{
    public static IServiceCollection AddUpkeep(this IServiceCollection services) =>
        services
            .AddSingleton<ScheduleControl>()
            .AddSingleton<ChangeableSchedules>()
            .AddSingleton<CompletenessControl>()
            .AddSingleton<DuplicateReader>();
}
