using MassTransit.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace QueueWorkers.Consuming.Stages;

/// <summary>Registers the stages of a message for every step of the process.</summary>
internal static class StageServices
{
    /// <summary>
    /// Adds them, and <see cref="StepPipeline{TStep}"/> as the class that MassTransit's outbox filter calls.
    /// </summary>
    public static IServiceCollection AddStages(this IServiceCollection services)
    {
        services.TryAddSingleton(typeof(ReceiveStage<>));
        services.TryAddSingleton(typeof(SkipStage<>));
        services.TryAddSingleton(typeof(AdmissionStage<>));
        services.TryAddSingleton(typeof(IsolationStage<>));
        services.TryAddSingleton(typeof(RunStage<>));
        services.TryAddSingleton(typeof(CommitStage<>));
        services.TryAddSingleton(typeof(FaultStage<>));
        services.TryAddSingleton(typeof(DeferStage<>));
        services.TryAddSingleton(typeof(FailureStage<>));
        // The filter resolves it once per attempt, in the scope of that attempt.
        services.TryAddScoped(typeof(IOutboxContextFactory<>), typeof(StepPipeline<>));
        return services;
    }
}
