using Orders.Infrastructure;
using Orders.Producer.Api;
using QueueWorkers.Hosting;

return await StartUp.RunAsync(
    args,
    command => command == "run" ? arguments => ApiApplication.Build(arguments).RunAsync() : null,
    OrdersSettings.Known
);
