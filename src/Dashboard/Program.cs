using Orders.Dashboard;
using Orders.Infrastructure;
using QueueWorkers.Hosting;

return await StartUp.RunAsync(
    args,
    command => command == "run" ? arguments => DashboardApplication.Build(arguments).RunAsync() : null,
    OrdersSettings.Known
);
