using Orders.Dashboard;
using Orders.Infrastructure.Hosting;

return await StartUp.RunAsync(args, command => command == "run" ? arguments => DashboardApplication.Build(arguments).RunAsync() : null);
