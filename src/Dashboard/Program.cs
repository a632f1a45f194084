using Orders.Dashboard;
using QueueWorkers.Hosting;

return await StartUp.RunAsync(
    args,
    command => command == "run" ? arguments => DashboardApplication.Build(arguments).RunAsync() : null
);
