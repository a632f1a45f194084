using Orders.Infrastructure;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Routes;
using QueueWorkers.Scheduling;

namespace Orders.Workers;

/// <summary>A worker process: the chosen steps, their relay, schedules, health and metrics.</summary>
internal static class WorkersApplication
{
    /// <summary>Puts it together.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        var problems = new ConfigurationProblems().Collect(() =>
            builder.AddWorkerHost("orders-workers", OrdersSettings.Known)
        );
        var steps = Steps.Catalogue.Choose(builder.Configuration["Workers:Steps"], problems);
        problems
            .Collect(() => builder.Services.AddOrdersStore(builder.Configuration))
            .Collect(() => builder.Services.AddRelay(builder.Configuration))
            .Collect(() => builder.Services.AddSteps<OrdersDbContext>(builder.Configuration, steps))
            .Collect(() => builder.Services.AddSchedules(builder.Configuration, Schedules.Catalogue))
            .ThrowIfAny();

        var app = builder.Build();
        app.UseRouteGuards();
        app.MapWorkerHost();
        return app;
    }
}
