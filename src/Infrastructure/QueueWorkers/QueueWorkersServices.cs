using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Hosting;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;

namespace QueueWorkers;

/// <summary>Adds the framework to a host by one call.</summary>
public static class QueueWorkersServices
{
    /// <summary>
    /// Adds database, relay, bus, steps, schedules, health checks, logs and telemetry. Messages that are published
    /// through the scoped <c>IPublishEndpoint</c> are committed with <typeparamref name="TContext"/>. The context is
    /// registered here, for <c>ConnectionStrings:Postgres</c>; leave out an <c>AddDbContext</c> of your own.
    /// </summary>
    /// <typeparam name="TContext">The application's context; its model calls <c>UseQueueWorkers</c>.</typeparam>
    /// <param name="builder">The host.</param>
    /// <param name="configure">Says what the host is made of.</param>
    /// <exception cref="InvalidConfigurationException">The configuration cannot work; with every problem
    /// found.</exception>
    /// <example>
    /// <code>
    /// builder.AddQueueWorkers&lt;ParcelsDb&gt;(o =>
    /// {
    ///     o.Steps.Add&lt;LabelStep&gt;().Add&lt;NotifyStep&gt;();
    ///     o.Schedules.Publish("summary", "0 6 * * *", Misfire.Once, firing => new SummaryDue(firing.Id));
    /// });
    /// </code>
    /// </example>
    public static WebApplicationBuilder AddQueueWorkers<TContext>(
        this WebApplicationBuilder builder,
        Action<QueueWorkersOptions> configure
    )
        where TContext : DbContext
    {
        var options = new QueueWorkersOptions();
        configure(options);
        var configuration = builder.Configuration;
        var problems = new ConfigurationProblems().Collect(() =>
            builder.AddWorkerHost(options.Service ?? builder.Environment.ApplicationName, options.Settings)
        );
        var steps = Choose(options, configuration["Workers:Steps"], problems);
        problems
            .Collect(() => builder.Services.AddDatabase<TContext>(configuration, options.Context))
            .Collect(() => builder.Services.AddRelay(configuration))
            .Collect(() => builder.Services.AddSteps<TContext>(configuration, steps))
            .Collect(() => builder.Services.AddSchedules(configuration, options.WithPurge()))
            .ThrowIfAny();
        builder.Services.AddSingleton(
            new HostCommands(options, to => QueueWorkersDeployment.RunAsync<TContext>(configuration, options, to))
        );
        return builder;
    }

    private static IReadOnlyList<StepEntry> Choose(
        QueueWorkersOptions options,
        string? names,
        ConfigurationProblems problems
    ) =>
        string.IsNullOrWhiteSpace(names) && !options.MustChooseSteps
            ? options.Steps.Steps
            : options.Steps.Choose(names, problems);
}
