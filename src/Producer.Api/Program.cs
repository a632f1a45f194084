using Orders.Infrastructure.Hosting;
using Orders.Producer.Api;

return await StartUp.RunAsync(args, command => command == "run" ? arguments => ApiApplication.Build(arguments).RunAsync() : null);
