using Orders.Infrastructure;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Routes;

namespace Orders.Workers;

/// <summary>A worker process: the chosen steps, their relay, schedules, health and metrics.</summary>
internal static class WorkersApplication
{
    /// <summary>Puts it together.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddQueueWorkers<OrdersDbContext>(orders =>
        {
            orders.Service = "orders-workers";
            orders.Settings = OrdersSettings.Known;
            orders.Steps = Steps.Catalogue;
            orders.MustChooseSteps = true;
            orders.Schedules = Schedules.Catalogue;
            orders.Context = OrdersStore.Configure;
        });
        builder.Services.AddOrderProgress();

        var app = builder.Build();
        app.UseRouteGuards();
        app.MapWorkerHost();
        return app;
    }
}
